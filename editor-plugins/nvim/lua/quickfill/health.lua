-- `:checkhealth quickfill`.
local M = {}

local health = vim.health

local function check_neovim()
  if vim.fn.has("nvim-0.12") == 1 then
    health.ok("Neovim " .. tostring(vim.version()))
  else
    health.error("Neovim " .. tostring(vim.version()) .. " has no inline completion", "install 0.12 or newer")
  end
end

local REPORT = { works = health.ok, optional = health.info, fails = health.error }

--- What `quickfill doctor` says, without the model: that of a running server is below.
local function check_installation(program)
  local done = vim.system({ program, "doctor", "--no-model", "--json" }, { text = true }):wait(60000)
  local decoded, page = pcall(vim.json.decode, done.stdout or "")
  if not decoded or type(page.findings) ~= "table" then
    health.error(("%s doctor failed with code %d"):format(program, done.code), vim.trim(done.stderr or ""))
    return
  end
  for _, finding in ipairs(page.findings) do
    local said = ("%s, %s: %s"):format(finding.part, finding.name, finding.summary)
    if finding.status == "optional" and finding.remedy ~= "" then
      said = ("%s (%s)"):format(said, finding.remedy)
    end
    REPORT[finding.status](said, finding.status == "fails" and finding.remedy or nil)
  end
end

local function check_server()
  local config, find_server = require("quickfill.config").get(), require("quickfill.find_server")
  local command = find_server.command(config.cmd, vim.fs.root(0, config.root_markers))
  if not command then
    local what = config.cmd and config.cmd[1] .. " cannot be run" or "the server's program is not found"
    health.error(what, find_server.remedies(config.cmd))
    return
  end
  local program = command[1]
  local done = vim.system({ program, "--version" }, { text = true }):wait(10000)
  if done.code == 0 then
    health.ok(vim.trim(done.stdout) .. ", " .. vim.fn.exepath(program))
    check_installation(program)
  else
    health.error(("%s --version failed with code %d"):format(program, done.code), vim.trim(done.stderr or ""))
  end
end

local function check_clients()
  local clients = vim.lsp.get_clients({ name = "quickfill" })
  if #clients == 0 then
    health.warn("no server is running", 'call require("quickfill").setup() and open a file of a known type')
  end
  for _, client in ipairs(clients) do
    local status = require("quickfill.server").status()
    health.ok(("server %d runs for %d buffers: %s"):format(
      client.id,
      vim.tbl_count(client.attached_buffers),
      status and status.state or "no state told yet"
    ))
    local buffer = next(client.attached_buffers)
    if buffer and not require("quickfill.native").is_known(buffer) then
      health.warn(
        "this Neovim's inline completion differs inside from the known ones",
        "alternatives and dismissing do nothing; accepting works"
      )
    end
  end
end

function M.check()
  health.start("quickfill")
  check_neovim()
  check_server()
  check_clients()
end

return M
