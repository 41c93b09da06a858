// F-32: when a session is due to be touched, two hundred requests at once write once per process.
import { ask } from './http-request.ts'
import { logIn, onEverySite, type RaceSite, withCookie } from './race-sites.ts'
import { atMost, exactly, type Fact, type StressRun } from './result.ts'

const REQUESTS = 200
const INTERVAL_MS = 60_000 // touchIntervalMs of an idle timeout of 15 minutes

export const touchRace: StressRun = {
  id: 'F-32',
  title: 'two hundred requests that mark one session as seen do not fail, and write once per interval and process',
  run: (size) => onEverySite((site) => measureAt(site, size === 'full' ? 100 : 2)),
}

async function measureAt(site: RaceSite, rounds: number): Promise<readonly Fact[]> {
  const cookie = await logIn(site)
  let failed = 0
  let silent = 0
  let most = 0
  let mostOfAll = 0
  for (let round = 1; round <= rounds; round++) {
    const before = await touchesOf(site)
    failed += await askTogether(site, (base) =>
      ask(`${base}/member`, withCookie(cookie, { 'x-later': String(round * INTERVAL_MS) })),
    )
    const written = (await touchesOf(site)).map((count, at) => count - (before[at] ?? 0))
    most = Math.max(most, ...written)
    mostOfAll = Math.max(
      mostOfAll,
      written.reduce((total, count) => total + count, 0),
    )
    if (written.every((count) => count === 0)) silent++
  }
  const asked = await logIn(site)
  let failedWhenAsked = 0
  for (let round = 0; round < rounds; round++) {
    failedWhenAsked += await askTogether(site, (base) => ask(`${base}/touch`, { body: {}, headers: { cookie: asked } }))
  }
  const { name } = site
  return [
    exactly(`${name}: intervals, each with ${REQUESTS} requests at once`, rounds, rounds),
    exactly(`${name}: answers other than 200`, 0, failed),
    exactly(`${name}: intervals in which nobody wrote`, 0, silent),
    atMost(`${name}: most writes of one process in one interval`, 1, most),
    atMost(`${name}: most writes of all processes in one interval`, site.bases.length, mostOfAll),
    exactly(`${name}: of ${REQUESTS * rounds} requests that call req.session.touch, failed`, 0, failedWhenAsked),
  ]
}

async function askTogether({ bases }: RaceSite, request: (base: string) => ReturnType<typeof ask>): Promise<number> {
  const answers = await Promise.all(Array.from({ length: REQUESTS }, (_, at) => request(bases[at % bases.length] ?? '')))
  return answers.filter(({ status }) => status !== 200).length
}

function touchesOf({ bases }: RaceSite): Promise<number[]> {
  return Promise.all(bases.map(async (base) => Number((await ask(`${base}/touches`)).text)))
}
