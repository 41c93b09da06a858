// D-23, F-31: many requests write to one session at once, and nothing that they wrote is lost or mixed.
import { setTimeout as sleep } from 'node:timers/promises'
import { allAtBarrier, barrierHeaders, letGo } from './barriers.ts'
import { ask } from './http-request.ts'
import { anyOf, logIn, OTHER_PROCESS_MS, onEverySite, parts, type RaceSite, repeat, trialName, withCookie } from './race-sites.ts'
import { exactly, type Fact, type StressRun } from './result.ts'

const WRITERS = 8
export const COUNTERS = 20

export const writersRace: StressRun = {
  id: 'D-23, F-31',
  title: 'of requests that write to one session at once, none is lost without a word',
  run: (size) => onEverySite((site) => measureAt(site, size === 'full' ? 10_000 : 40)),
}

async function measureAt(site: RaceSite, writes: number): Promise<readonly Fact[]> {
  const different = await raceDifferentKeys(site, writes)
  const same = await raceOneKey(site, writes)
  const ordered = await raceInOrder(site, writes)
  const counted = await raceCounter(site, writes, 'atomically')
  const { name } = site
  return [
    exactly(`${name}: writes to different keys`, rounded(writes, WRITERS), different.answered),
    exactly(`${name}: writes to different keys that were lost`, 0, different.lost),
    exactly(`${name}: writes to one key`, rounded(writes, WRITERS), same.answered),
    exactly(`${name}: values of one key that nobody wrote, or that processes see differently`, 0, same.wrong),
    exactly(`${name}: writes to one key, the first of two committed last`, rounded(writes, 2), ordered.answered),
    exactly(`${name}: keys that do not have what was committed last`, 0, ordered.wrong),
    exactly(`${name}: counts by req.session.update`, rounded(writes, COUNTERS), counted.answered),
    exactly(`${name}: counts by req.session.update that were lost`, 0, counted.lost),
  ]
}

/** Writes come in rounds of so many. */
export function rounded(writes: number, each: number): number {
  return Math.ceil(writes / each) * each
}

export interface Writes {
  answered: number
  lost: number
}

/** Each writer has read the session before any of them writes its own key. */
export async function raceDifferentKeys(site: RaceSite, writes: number): Promise<Writes> {
  const seen = { answered: 0, lost: 0 }
  await repeat(site, Math.ceil(writes / WRITERS), async () => {
    const cookie = await logIn(site)
    const answered = await writeTogether(site, { cookie, writers: WRITERS, path: (at) => `/put/key${at}/${at}` })
    seen.answered += answered
    const data = await dataOf(site, cookie)
    for (let at = 0; at < WRITERS; at++) if (!isWhole(data[`key${at}`], String(at))) seen.lost++
  })
  return seen
}

/** Each adds one to a number. What is missing in the end was lost. */
export async function raceCounter(site: RaceSite, writes: number, how: 'plainly' | 'atomically'): Promise<Writes> {
  const seen = { answered: 0, lost: 0 }
  await repeat(site, Math.ceil(writes / COUNTERS), async () => {
    const cookie = await logIn(site)
    const answered = await writeTogether(site, { cookie, writers: COUNTERS, path: () => `/count/${how}` })
    seen.answered += answered
    const { count } = await dataOf(site, cookie)
    seen.lost += answered - Number(count)
  })
  return seen
}

/** All write the same key: one of the values is there, whole, and all processes see the same. */
async function raceOneKey(site: RaceSite, writes: number): Promise<{ answered: number; wrong: number }> {
  const seen = { answered: 0, wrong: 0 }
  await repeat(site, Math.ceil(writes / WRITERS), async () => {
    const cookie = await logIn(site)
    const answered = await writeTogether(site, { cookie, writers: WRITERS, path: (at) => `/put/key/${at}` })
    seen.answered += answered
    const everywhere = await Promise.all(site.bases.map((base) => dataAt(base, cookie)))
    const values = everywhere.map(({ key }) => key)
    const isOne = Array.from({ length: WRITERS }, (_, at) => String(at)).some((one) =>
      values.every((value) => isWhole(value, one)),
    )
    if (!isOne) seen.wrong++
  })
  return seen
}

/** Two write the same key. The one that came first is held before its write until the other was answered: so it is the last. */
async function raceInOrder(site: RaceSite, writes: number): Promise<{ answered: number; wrong: number }> {
  const seen = { answered: 0, wrong: 0 }
  await repeat(site, Math.ceil(writes / 2), async () => {
    const cookie = await logIn(site)
    const { first, rest } = parts(site.bases, 1)
    const trial = trialName()
    const held = ask(`${first}/put/key/first`, { body: {}, ...withCookie(cookie, barrierHeaders(trial, 'save')) })
    await allAtBarrier(trial, 'save', [first])
    const second = await ask(`${rest[0]}/put/key/second`, { body: {}, ...withCookie(cookie) })
    await letGo(trial, [first])
    const answers = [await held, second]
    seen.answered += answers.filter(({ status }) => status === 200).length
    if (!isWhole((await dataOf(site, cookie)).key, 'first')) seen.wrong++
  })
  return seen
}

/** All read the session, then all write. Says how many were answered with 200. */
async function writeTogether(
  { bases }: RaceSite,
  { cookie, writers, path }: { readonly cookie: string; readonly writers: number; path(at: number): string },
): Promise<number> {
  const trial = trialName()
  const at = Array.from({ length: writers }, (_, writer) => bases[writer % bases.length] ?? '')
  const writing = at.map((base, writer) =>
    ask(`${base}${path(writer)}`, { body: {}, ...withCookie(cookie, barrierHeaders(trial, 'handler')) }),
  )
  await allAtBarrier(trial, 'handler', at)
  await letGo(trial, bases)
  return (await Promise.all(writing)).filter(({ status }) => status === 200).length
}

type Data = Readonly<Record<string, unknown>>

async function dataOf(site: RaceSite, cookie: string): Promise<Data> {
  return dataAt(anyOf(site.bases), cookie)
}

async function dataAt(base: string, cookie: string): Promise<Data> {
  await sleep(OTHER_PROCESS_MS)
  return JSON.parse((await ask(`${base}/data`, withCookie(cookie))).text)
}

function isWhole(value: unknown, written: string): boolean {
  return Array.isArray(value) && value.length === 50 && value.every((part) => part === written)
}
