// F-21: what may be used once, used a hundred times at the same moment in four processes. One use succeeds.
import { inDatabase } from '../test/support/database-inspector.ts'
import { giveToken } from '../test/support/tokens.ts'
import { type Answer, ask, cookieOf } from './http-request.ts'
import { anyOf, logIn, onEveryMembership, type RaceSite, withCookie } from './race-sites.ts'
import { exactly, type Fact, type StressRun } from './result.ts'
import type { StorageTarget } from './storage-targets.ts'

const USES = 100
const PASSWORD = 'granite lantern ferry'

export const oneTime: StressRun = {
  id: 'F-21',
  title: 'of a hundred uses at once of what can be used once, one succeeds',
  run: (size) => onEveryMembership((site, target) => measureAt(site, target, size === 'full' ? 100 : 2)),
}

/** The id of a login that is renewed, the end of a session, which is in the audit trail once, and a mailed link. */
async function measureAt(site: RaceSite, target: StorageTarget, rounds: number): Promise<readonly Fact[]> {
  let wrongRenewals = 0
  let wrongEnds = 0
  let wrongResets = 0
  let others = 0
  let deadWinners = 0
  const post = (path: string, body: object, cookie: string) =>
    Promise.all(bases(site).map((base) => ask(`${base}${path}`, { body, ...withCookie(cookie) })))
  for (let round = 0; round < rounds; round++) {
    const renewed = await post('/api/reauthenticate', { password: PASSWORD }, await logIn(site))
    const [winner, ...more] = renewed.filter(({ status }) => status === 204)
    if (winner === undefined || more.length > 0) wrongRenewals++
    others += countOthers(renewed, 401)
    const own = winner ? cookieOf(winner) : await logIn(site)
    if ((await statusOf(site, own)) !== 200) deadWinners++

    const id = await idOf(site, await logIn(site))
    const ended = await post(`/api/account/sessions/${id}/end`, {}, own)
    if (ended.filter(({ status }) => status === 204).length !== 1) wrongEnds++
    others += countOthers(ended, 404)

    const reset = await post('/api/reset-password', { token: await mailedToken(target), password: PASSWORD }, '')
    if (reset.filter(({ status }) => status === 204).length !== 1) wrongResets++
    others += countOthers(reset, 422)
  }
  const [entries] = await inDatabase(target, "SELECT count(*) AS n FROM guildhall_audit WHERE event = 'session_ended'")
  const { name } = site
  return [
    exactly(`${name}: logins, each renewed ${USES} times at once`, rounds, rounds),
    exactly(`${name}: of these, logins of which not exactly one renewal succeeded`, 0, wrongRenewals),
    exactly(`${name}: of these, new ids that are nobody's`, 0, deadWinners),
    exactly(`${name}: sessions, each ended ${USES} times at once, for which not exactly one request ended it`, 0, wrongEnds),
    exactly(`${name}: audit entries of these ends`, rounds, Number(entries?.n)),
    exactly(
      `${name}: mailed links, each used ${USES} times at once, with which not exactly one request set a password`,
      0,
      wrongResets,
    ),
    exactly(`${name}: answers other than the one success and the refusals`, 0, others),
  ]
}

function bases(site: RaceSite): readonly string[] {
  return Array.from({ length: USES }, (_, at) => site.bases[at % site.bases.length] ?? '')
}

/** The account has no address, so nobody is mailed; it is worth a link while nobody has come back to it. */
async function mailedToken(target: StorageTarget): Promise<string> {
  await inDatabase(target, 'UPDATE guildhall_users SET used_at = NULL')
  const [user] = await inDatabase(target, 'SELECT id FROM guildhall_users')
  return giveToken(target, String(user?.id), { purpose: 'reset', at: Date.now() })
}

function countOthers(answers: readonly Answer[], refusal: number): number {
  return answers.filter(({ status }) => status !== 204 && status !== refusal).length
}

async function statusOf({ bases, member }: RaceSite, cookie: string): Promise<number> {
  return (await ask(`${anyOf(bases)}${member}`, withCookie(cookie))).status
}

/** What a session is called in the list of its owner. */
async function idOf({ bases }: RaceSite, cookie: string): Promise<string> {
  const { text } = await ask(`${anyOf(bases)}/api/account/sessions`, withCookie(cookie))
  const { sessions }: { sessions: { id: string; current: boolean }[] } = JSON.parse(text)
  return sessions.find(({ current }) => current)?.id ?? ''
}
