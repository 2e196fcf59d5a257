-- Quickfill for Neovim: ghost text, holes and rewrites by the language server `quickfill lsp`.
local M = {}

--- Start the language server for the files it is for, show its suggestions, and map the keys.
--- One line is enough: `require("quickfill").setup()`. See `:help quickfill-setup` for the options.
---@param options? quickfill.Options
function M.setup(options)
  local config = require("quickfill.config")
  config.set(options)
  if vim.fn.has("nvim-0.12") == 0 then
    vim.notify("Quickfill needs Neovim 0.12 or newer: the first with inline completion", vim.log.levels.ERROR)
    return
  end
  require("quickfill.keymaps").set(config.get().keymaps)
  require("quickfill.server").enable(config.get())
end

--- What a status line may show: `%{v:lua.require'quickfill'.statusline()}`.
---@return string
function M.statusline()
  return require("quickfill.statusline").text()
end

return M
