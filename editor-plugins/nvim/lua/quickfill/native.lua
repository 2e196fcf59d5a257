-- The only file that knows the inside of Neovim's own inline completion. Its public functions show and accept
-- suggestions, but ask for them only 200 ms after a keystroke, and never for alternatives. Where Neovim has changed inside,
-- these functions do nothing, and `:checkhealth quickfill` says so.
local M = {}

---@return table? the object that holds a buffer's suggestions
local function completor(buffer)
  local found, capability = pcall(require, "vim.lsp._capability")
  local kind = found and capability.all and capability.all.inline_completion
  return kind and kind.active and kind.active[buffer]
end

--- Whether this Neovim's inside is as it is known here.
---@return boolean
function M.is_known(buffer)
  local own = completor(buffer)
  return own ~= nil and vim.is_callable(own.request) and vim.is_callable(own.count_items) and vim.is_callable(own.abort)
end

--- Let a client suggest in a buffer, or no longer. Neovim's `enable(false, ...)` would take other clients' suggestions
--- away too, or those of this client in all buffers.
---@param client vim.lsp.Client
---@param wanted boolean
function M.let_suggest(buffer, client, wanted)
  if wanted then
    vim.lsp.inline_completion.enable(true, { client_id = client.id, bufnr = buffer })
  elseif M.suggests(buffer, client) then
    local own = completor(buffer)
    own:abort()
    own:on_detach(client.id)
    if not next(own.client_state) then
      own:destroy()
    end
  end
end

--- Whether a client suggests in a buffer.
---@param client vim.lsp.Client
---@return boolean
function M.suggests(buffer, client)
  local own = completor(buffer)
  return own ~= nil and own.client_state ~= nil and own.client_state[client.id] ~= nil
end

--- How many suggestions there are for the place.
---@return integer
function M.count(buffer)
  return M.is_known(buffer) and completor(buffer).current and completor(buffer):count_items() or 0
end

--- Hide a suggestion that does not go on as the text behind its beginning: what was typed contradicts it. One that is
--- asked for by then is still awaited.
function M.drop_contradicted(buffer)
  local own = M.is_known(buffer) and completor(buffer) or nil
  local item = own and own.current
  if not item or not item.range or type(item.insert_text) ~= "string" then
    return
  end
  local row, column = item.range:to_extmark()
  local cursor = vim.api.nvim_win_get_cursor(0)
  local found, lines = pcall(vim.api.nvim_buf_get_text, buffer, row, column, cursor[1] - 1, cursor[2], {})
  if not found or not vim.startswith(item.insert_text, table.concat(lines, "\n")) then
    own.current = nil
    own:hide()
  end
end

--- Ask for suggestions at once.
---@param kind lsp.InlineCompletionTriggerKind
function M.request(buffer, kind)
  if M.is_known(buffer) then
    completor(buffer):reset_timer()
    completor(buffer):request(kind)
  end
end

--- Hide what is shown and forget what was asked.
function M.abort(buffer)
  if M.is_known(buffer) then
    completor(buffer):abort()
  end
end

--- A suggestion's text: what of it stands left of the cursor already, and the ghost text behind.
---@param item vim.lsp.inline_completion.Item
---@return string typed, string ghost
function M.split_at_cursor(item, buffer)
  local text = item.insert_text
  assert(type(text) == "string", "Quickfill's suggestions are plain text")
  if not item.range then
    return "", text
  end
  local row, column = item.range:to_extmark()
  local cursor = vim.api.nvim_win_get_cursor(0)
  local typed = vim.api.nvim_buf_get_text(buffer, row, column, cursor[1] - 1, cursor[2], {})[1]
  if vim.startswith(text, typed) then
    return typed, text:sub(#typed + 1)
  end
  return "", text
end

--- A suggestion's range without what lies behind the cursor: a part of the suggestion does not stand in for that yet.
---@param item vim.lsp.inline_completion.Item
---@return vim.Range?
function M.range_to_cursor(item, buffer)
  if not item.range then
    return nil
  end
  local row, column = item.range:to_extmark()
  local cursor = vim.api.nvim_win_get_cursor(0)
  return vim.range.extmark(buffer, row, column, cursor[1] - 1, cursor[2])
end

return M
