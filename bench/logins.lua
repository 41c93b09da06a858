-- Each request logs in the next of the people in the file that LOGINS names: one line each, the network, a tab, and the body.
local requests, at = {}, 0

function init()
  wrk.method = 'POST'
  for line in io.lines(os.getenv('LOGINS')) do
    local network, body = line:match('^(.-)\t(.*)$')
    wrk.headers['X-Forwarded-For'] = network
    wrk.body = body
    requests[#requests + 1] = wrk.format()
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
