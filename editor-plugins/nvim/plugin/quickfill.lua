-- The `:Quickfill` command; nothing else is loaded before it is used or `require("quickfill").setup()` is called.
if vim.g.loaded_quickfill then
  return
end
vim.g.loaded_quickfill = true

vim.api.nvim_create_user_command("Quickfill", function(arguments)
  require("quickfill.commands").run(arguments)
end, {
  nargs = "*",
  range = true,
  desc = "Quickfill: fill holes, edit a region, show the next edit, see status and log",
  complete = function(...)
    return require("quickfill.commands").complete(...)
  end,
})
