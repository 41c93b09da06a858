// What is known of visitors' addresses: where it is kept, and that it goes on schedule.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { inDatabase, sessionRows, siteOfTest } from '../support/artifacts.ts'
import { allRows, type Kept } from '../support/database-inspector.ts'
import { until } from '../support/until.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

const ADDRESS = '203.0.113.77'
const FROM_THERE = { headers: { 'x-forwarded-for': ADDRESS } }
/** The cleanup comes once in it, whatever its jitter. */
const SCHEDULE_MS = 76_000
const DAY_MS = 86_400_000

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** The tables in which an address stands. */
async function knownIn(kept: Kept, address = ADDRESS): Promise<readonly string[]> {
  const tables = Object.entries(await allRows(kept)).filter(([, rows]) => JSON.stringify(rows).includes(`"${address}"`))
  return tables.map(([name]) => name).toSorted()
}

async function isKnown(kept: Kept, address: string): Promise<boolean> {
  return (await knownIn(kept, address)).length > 0
}

/** Minutes pass until it is so: the cleanup comes at each. */
function cleanedUp(isSo: () => Promise<boolean>): Promise<void> {
  return until(async () => {
    await vi.advanceTimersByTimeAsync(SCHEDULE_MS)
    return isSo()
  })
}

async function entriesOf(kept: Kept): Promise<number> {
  const [row] = await inDatabase(kept, 'SELECT count(*) AS n FROM guildhall_audit')
  return Number(row?.n)
}

test('N-08 an address stands in sessions until they end and in the audit trail for 90 days, and nowhere else', async () => {
  const site = await siteOfTest({ rateLimit: true, trustProxy: 1 })
  const visitor = site.visitor()
  await visitor.api('/register', { username: 'anna', password: GOOD_PASSWORD }, FROM_THERE)
  await site.visitor().api('/login', { username: 'anna', password: 'not the password' }, FROM_THERE)
  await site.visitor().api('/login', { username: 'nobody-at-all', password: 'not the password' }, FROM_THERE)
  await visitor.form('/logout', {}, FROM_THERE)
  await site.visitor().api('/login', { username: 'anna', password: GOOD_PASSWORD, remember: true }, FROM_THERE)
  expect(JSON.stringify(await sessionRows(site))).toContain(ADDRESS)
  expect((await knownIn(site)).filter((table) => table !== 'guildhall_sessions')).toEqual(['guildhall_audit'])
  const entries = await entriesOf(site)
  expect(entries).toBeGreaterThanOrEqual(5)

  site.clock.forward('89d')
  const older = '203.0.113.1'
  const insert = `INSERT INTO guildhall_audit (id, at, event, outcome, ip, quiet) VALUES ('older', ?, 'login', 'success', '${older}', 0)`
  await inDatabase(site, insert, site.clock.now() - 91 * DAY_MS)
  await cleanedUp(async () => !(await isKnown(site, older)) && (await sessionRows(site)).length === 0)
  expect(await knownIn(site)).toEqual(['guildhall_audit'])

  site.clock.forward('2d')
  await cleanedUp(async () => !(await isKnown(site, ADDRESS)))
  // The entries are still there, with the device.
  expect(await entriesOf(site)).toBe(entries + 1)

  site.clock.forward('275d')
  await cleanedUp(async () => (await entriesOf(site)) === 0)
})
