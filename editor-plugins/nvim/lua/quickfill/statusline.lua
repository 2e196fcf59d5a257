-- What a status line says: the state of the server, or that suggestions are paused.
local M = {}

local SIGNS = { loading = "…", working = "…", ready = "✓", error = "✗" }

--- A short text for the current buffer; empty where there is no server for it.
---@return string
function M.text()
  local buffer = vim.api.nvim_get_current_buf()
  if #vim.lsp.get_clients({ name = "quickfill", bufnr = buffer }) == 0 then
    return ""
  end
  local pause = require("quickfill.pause")
  if pause.left(buffer) then
    return "Quickfill ‖"
  end
  local status = require("quickfill.server").status()
  return "Quickfill " .. (status and SIGNS[status.state] or "…")
end

return M
