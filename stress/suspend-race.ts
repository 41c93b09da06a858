// F-23: an account is closed while people log in: afterwards none of its sessions is alive, in any process.
import { setTimeout as sleep } from 'node:timers/promises'
import { allAtBarrier, barrierHeaders, letGo } from './barriers.ts'
import { judged } from './fault-environment.ts'
import { type Answer, ask, cookieOf } from './http-request.ts'
import { anyOf, logIn, OTHER_PROCESS_MS, onEveryMembership, type RaceSite, repeat, trialName, withCookie } from './race-sites.ts'
import { atLeast, counted, exactly, type Fact, type StressRun } from './result.ts'

const LOGINS = 3
/** When the session of a login is written: as it comes, after the account was closed, after it was opened again. */
const MOMENTS = ['together', 'after the closing', 'after the opening'] as const

const PASSWORD = 'granite lantern ferry'

export const disableRace: StressRun = {
  id: 'F-23',
  title: 'of logins racing with the closing of their account no session is alive when the closing has answered',
  run: (size) => onEveryMembership((site) => measureAt(site, size === 'full' ? 2500 : 15)),
}

interface Tally {
  closings: number
  logins: number
  refused: number
  others: number
  /** Logins whose session was written when the account was closed already, or open again. */
  late: number
  alive: number
  aliveAgain: number
  logInAgain: number
}

async function measureAt(site: RaceSite, closings: number): Promise<readonly Fact[]> {
  const seen = { closings: 0, logins: 0, refused: 0, others: 0, late: 0, alive: 0, aliveAgain: 0, logInAgain: 0 }
  // Each account is raced at by one trial at a time.
  const names = Array.from({ length: site.bases.length * 2 }, (_, at) => `racer-${at}`)
  for (const username of names) await ask(`${site.bases[0]}/api/register`, { body: { username, password: PASSWORD } })
  await repeat(site, closings, async (trial) => {
    const username = names.pop() ?? ''
    await closeOnce(site, { username, moment: MOMENTS[trial % MOMENTS.length] ?? 'together', seen })
    names.push(username)
  })
  const { name } = site
  return [
    exactly(`${name}: closings, each against ${LOGINS} logins`, closings, seen.closings),
    counted(`${name}: of these logins, answered with a session`, seen.logins),
    counted(`${name}: of these logins, refused`, seen.refused),
    // 503, if the machine is so busy that a store does not answer in time: no session.
    counted(`${name}: of these logins, turned away`, seen.others),
    atLeast(`${name}: sessions that were written after the closing`, closings, seen.late),
    exactly(`${name}: sessions that were alive after the closing, in any process`, 0, seen.alive),
    exactly(`${name}: sessions that were alive after the account was opened again`, 0, seen.aliveAgain),
    exactly(`${name}: people who could log in to the opened account`, closings, seen.logInAgain),
  ]
}

async function closeOnce(
  site: RaceSite,
  { username, moment, seen }: { readonly username: string; readonly moment: (typeof MOMENTS)[number]; readonly seen: Tally },
): Promise<void> {
  const { bases } = site
  const account = { username, password: PASSWORD }
  const trial = trialName()
  const cookies = [await logIn({ ...site, account })]
  const take = ({ status, setCookies }: Answer): void => {
    if (status === 200) seen.logins++
    else if (status === 401) seen.refused++
    else seen.others++
    if (status === 200) cookies.push(cookieOf({ status, setCookies, text: '' }))
  }

  const at = Array.from({ length: LOGINS }, () => anyOf(bases))
  const headers = moment === 'together' ? {} : barrierHeaders(trial, 'create')
  const logins = at.map((base) => ask(`${base}${site.login}`, { body: account, headers }))
  if (moment !== 'together') await allAtBarrier(trial, 'create', at)
  else await sleep(Math.random() * 4)
  if ((await setStatus(site, username, 'suspended')).status === 204) seen.closings++
  if (moment !== 'after the opening') {
    await letGo(trial, bases)
    for (const login of await Promise.all(logins)) take(login)
    if (moment === 'after the closing') seen.late += LOGINS
  }
  await sleep(OTHER_PROCESS_MS)
  seen.alive += await aliveOf(site, cookies, bases)
  await setStatus(site, username, 'active')
  if (moment === 'after the opening') {
    await letGo(trial, bases)
    for (const login of await Promise.all(logins)) take(login)
    seen.late += LOGINS
  }
  await sleep(OTHER_PROCESS_MS)
  seen.aliveAgain += await aliveOf(site, cookies, [anyOf(bases)])
  const status = await judged(`${anyOf(bases)}${site.login}`, { body: account })
  if (status === 200) seen.logInAgain++
}

/** What an operator's page in the host application does. */
function setStatus({ bases }: RaceSite, username: string, status: string): Promise<Answer> {
  return ask(`${anyOf(bases)}/operator/${username}/${status}`, { body: {} })
}

async function aliveOf({ member }: RaceSite, cookies: readonly string[], bases: readonly string[]): Promise<number> {
  const asked = bases.flatMap((base) => cookies.map((cookie) => ask(`${base}${member}`, withCookie(cookie))))
  return (await Promise.all(asked)).filter(({ status }) => status !== 401).length
}
