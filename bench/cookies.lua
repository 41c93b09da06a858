-- Each request takes the next Cookie header of the file that COOKIES names, beside the headers that all have.
local requests, at = {}, 0

function init()
  for line in io.lines(os.getenv('COOKIES')) do
    wrk.headers['Cookie'] = line
    requests[#requests + 1] = wrk.format()
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
