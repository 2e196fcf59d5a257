-- Tells the server where the cursor rests, so that it reads the text there before the user begins to write.
local M = {}

--- So long the cursor has not moved, in milliseconds.
local REST = 300

---@type uv.uv_timer_t
local timer = assert(vim.uv.new_timer())

---@param buffer integer
---@param client vim.lsp.Client
local function tell(buffer, client)
  local window = vim.api.nvim_get_current_win()
  if vim.api.nvim_win_get_buf(window) ~= buffer or client:is_stopped() then
    return
  end
  client:notify("quickfill/didRest", vim.lsp.util.make_position_params(window, client.offset_encoding))
end

---@param buffer integer
---@param client vim.lsp.Client
function M.follow(buffer, client)
  local function later()
    timer:stop()
    timer:start(REST, 0, vim.schedule_wrap(function()
      if vim.api.nvim_buf_is_valid(buffer) then
        tell(buffer, client)
      end
    end))
  end
  vim.api.nvim_create_autocmd({ "BufEnter", "CursorMoved", "InsertEnter" }, {
    group = vim.api.nvim_create_augroup("quickfill.resting." .. buffer, {}),
    buffer = buffer,
    callback = later,
  })
  later()
end

return M
