-- Each request takes the next Cookie header of the file that COOKIES names.
local requests, at = {}, 0

function init()
  for line in io.lines(os.getenv('COOKIES')) do
    requests[#requests + 1] = wrk.format('GET', nil, { ['Cookie'] = line })
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
