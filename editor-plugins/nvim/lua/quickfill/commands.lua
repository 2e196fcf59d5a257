-- `:Quickfill fill | edit | next | status | log`.
local server = require("quickfill.server")

local M = {}

local requests = 0

--- Request an edit of the buffer as it is now, draw it while it is denoised if that is wanted, and hand it on unless
--- the buffer has changed meanwhile.
---@param client vim.lsp.Client
---@param method string
---@param parameters table what there is to say besides the document
---@param buffer integer
---@param take fun(edit: lsp.WorkspaceEdit) what becomes of it
local function request(client, method, parameters, buffer, take)
  local asked_at = vim.api.nvim_buf_get_changedtick(buffer)
  local denoising = require("quickfill.denoising")
  requests = requests + 1
  local token = "quickfill-" .. requests
  parameters.textDocument = vim.lsp.util.make_text_document_params(buffer)
  parameters.textDocument.version = vim.lsp.util.buf_versions[buffer]
  parameters.denoising = require("quickfill.config").get().denoise
  parameters.workDoneToken = token
  denoising.begin(token, parameters.ranges)
  client:request(method, parameters, function(failure, edit)
    denoising.finish(token, buffer)
    local changed = not vim.api.nvim_buf_is_valid(buffer) or vim.api.nvim_buf_get_changedtick(buffer) ~= asked_at
    if changed then
      vim.notify("Quickfill: the text has changed meanwhile; nothing was written", vim.log.levels.WARN)
    elseif failure then
      vim.notify("Quickfill: " .. failure.message, vim.log.levels.ERROR)
    elseif not edit or edit == vim.NIL then
      vim.notify("Quickfill has nothing to suggest here", vim.log.levels.INFO)
    else
      take(edit)
    end
  end, buffer)
end

--- The places of the mark in a range of lines, as ranges of the protocol, with their text removed by the answer.
---@param buffer integer
---@param first integer the first line, from 0
---@param last integer behind the last line
---@return lsp.Range[]
local function holes(buffer, first, last, client)
  local mark = require("quickfill.config").get().mark
  local found = {}
  for row, line in ipairs(vim.api.nvim_buf_get_lines(buffer, first, last, false)) do
    local from = 1
    while true do
      local start, stop = line:find(mark, from, true)
      if not start then
        break
      end
      local range = vim.range.extmark(buffer, first + row - 1, start - 1, first + row - 1, stop)
      table.insert(found, range:to_lsp(client.offset_encoding))
      from = stop + 1
    end
  end
  return found
end

--- Fill every mark of a range of lines; without a mark the hole is the cursor's place.
local function fill(arguments, buffer, client)
  local first, last = 0, -1
  if arguments.range > 0 then
    first, last = arguments.line1 - 1, arguments.line2
  end
  local ranges = holes(buffer, first, last, client)
  if #ranges == 0 then
    local place = vim.lsp.util.make_position_params(0, client.offset_encoding).position
    ranges = { { start = place, ["end"] = place } }
  end
  request(client, "quickfill/fill", { ranges = ranges }, buffer, function(filled)
    vim.lsp.util.apply_workspace_edit(filled, client.offset_encoding)
  end)
end

--- Rewrite a range of lines, as the words behind the command, or the user when asked, say, and show the difference.
local function edit(arguments, buffer, client)
  local function rewrite(instruction)
    if not instruction then
      return
    end
    local last = vim.api.nvim_buf_get_lines(buffer, arguments.line2 - 1, arguments.line2, false)[1] or ""
    local range = vim.range.extmark(buffer, arguments.line1 - 1, 0, arguments.line2 - 1, #last)
    local parameters = { range = range:to_lsp(client.offset_encoding), instruction = instruction }
    request(client, "quickfill/edit", parameters, buffer, function(rewritten)
      local title = instruction == "" and "Rewrite" or instruction
      require("quickfill.rewrite_preview").show(rewritten, buffer, client, title)
    end)
  end
  local words = table.concat(vim.list_slice(arguments.fargs, 2), " ")
  if words ~= "" then
    rewrite(words)
  else
    vim.ui.input({ prompt = "What should become of it? " }, rewrite)
  end
end

--- Show the next edit; <Tab> makes it.
local function next_edit(_, buffer, client)
  require("quickfill.next_edit").ask(buffer, client, vim.lsp.protocol.InlineCompletionTriggerKind.Invoked)
end

local function show_status(_, buffer, client)
  client:request("quickfill/status", vim.empty_dict(), function(failure, answer)
    vim.notify("Quickfill: " .. (failure and failure.message or vim.inspect(answer)), vim.log.levels.INFO)
  end, buffer)
end

local function open_log()
  vim.cmd.tabnew(vim.fn.fnameescape(vim.lsp.log.get_filename()))
end

local commands = { fill = fill, edit = edit, next = next_edit, status = show_status }

---@param arguments vim.api.keyset.create_user_command.command_args
function M.run(arguments)
  local name = arguments.fargs[1] or "status"
  if name == "log" then
    open_log()
  elseif not commands[name] then
    vim.notify(("Quickfill: there is no command %q; there are fill, edit, next, status, log"):format(name), vim.log.levels.ERROR)
  else
    local buffer = vim.api.nvim_get_current_buf()
    local client = server.client(buffer)
    if client then
      commands[name](arguments, buffer, client)
    end
  end
end

--- Complete the name of a command. A rewrite is offered where the model has learned to rewrite code.
function M.complete(leading, line)
  if line:match("^%S*%s+%S*$") or line:match("Quickfill%s+%S*$") then
    local names = { "fill", "log", "next", "status" }
    if server.can_rewrite() then
      table.insert(names, 1, "edit")
    end
    return vim.tbl_filter(function(name)
      return vim.startswith(name, leading)
    end, names)
  end
  return {}
end

return M
