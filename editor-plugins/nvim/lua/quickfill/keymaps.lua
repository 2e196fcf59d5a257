-- Keys in insert mode.
local M = {}

local descriptions = {
  accept = "Accept the suggestion",
  accept_word = "Accept the suggestion's next word",
  accept_line = "Accept the suggestion's next line",
  next = "Show another suggestion",
  previous = "Show the suggestion before",
  dismiss = "Hide the suggestion",
}

--- What a key does where there is no suggestion: what it was mapped to before, or itself.
local function fallback(key)
  local before = vim.fn.maparg(key, "i", false, true)
  if vim.tbl_isempty(before) or before.desc and vim.startswith(before.desc, "Quickfill: ") then
    return function()
      return key
    end
  end
  return function()
    local action = before.callback and before.callback() or before.rhs
    if before.expr == 1 and not before.callback then
      action = vim.api.nvim_eval(before.rhs)
    end
    return action or ""
  end
end

---@param keymaps quickfill.Keymaps|false
function M.set(keymaps)
  for name, key in pairs(keymaps or {}) do
    if key and not descriptions[name] then
      vim.notify(("Quickfill: there is no action %q to map"):format(name), vim.log.levels.WARN)
    elseif key then
      local otherwise = fallback(key)
      vim.keymap.set("i", key, function()
        return require("quickfill.suggestion")[name]() and "" or otherwise()
      end, { expr = true, desc = "Quickfill: " .. descriptions[name] })
    end
  end
end

return M
