// Every button of a form calls the operation of the API that it names; what comes back decides what is shown.
const stranger = document.querySelector('#stranger')
const member = document.querySelector('#member')
const problem = document.querySelector('#problem')

for (const form of [stranger, member]) form.addEventListener('submit', (event) => void submit(event))
show(await call('profile'))

async function submit(event) {
  event.preventDefault()
  const fields = Object.fromEntries(new FormData(event.target))
  const answer = await call(event.submitter.value, fields)
  // The login ended meanwhile, or was ended here.
  const loggedOut = event.target === member && (answer.status === 204 || answer.body.code === 'login_required')
  if (loggedOut) return show({ status: answer.status, body: {} }, answer)
  if (answer.body.user) return show(answer)
  showRefusal(answer)
}

/** Reads without fields, writes with them. The cookie travels by itself. */
async function call(operation, fields) {
  const write = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) }
  const response = await fetch(`/api/${operation}`, fields && write)
  return { status: response.status, body: response.status === 204 ? {} : await response.json() }
}

function show({ body: { user } }, answer) {
  stranger.hidden = user !== undefined
  member.hidden = user === undefined
  stranger.reset()
  if (user) {
    document.querySelector('#username').textContent = user.username
    member.elements.displayName.value = user.displayName
  }
  showRefusal(answer)
}

/** A problem (RFC 9457) explains itself: `title`, `detail`, and a message for each field. Programs decide by `code`. */
function showRefusal({ body: { title, detail, errors = [], code } = {} } = { body: {} }) {
  problem.hidden = title === undefined
  problem.dataset.code = code ?? ''
  problem.textContent = [title, detail, ...errors.map(({ field, message }) => `${field}: ${message}`)].filter(Boolean).join('\n')
}
