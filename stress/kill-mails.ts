// F-05, F-45: servers are killed while they send mails and the mail server comes and goes: no mail is lost.
import { setTimeout as sleep } from 'node:timers/promises'
import { inDatabase } from '../test/support/database-inspector.ts'
import { type MailServer, openMailServer } from '../test/support/mail-server.ts'
import { ask, cookieOf } from './http-request.ts'
import { atLeast, atMost, exactly, type Fact, type StressRun } from './result.ts'
import { type Served, serve } from './serve.ts'
import { onEveryTarget, type StorageTarget, withTarget } from './storage-targets.ts'

const PROCESSES = 4
const MEMBERS = 8
/** A worker sends so many side by side: the death of its process doubles these at most. */
const AT_ONCE = 4
const CHANGES_PER_KILL = 10
const MAX_WAIT_MS = 60_000
const PAUSE_MS = 20
/** Eight members, each at most ten changes a second: no more than one worker sends. */
const PACE_MS = 100
const PASSWORDS = ['granite lantern ferry', 'violet otter harbour'] as const

export const killedMails: StressRun = {
  id: 'F-05, F-45',
  title:
    'kill -9 of four servers while they send mails loses none, and sends again only what was under way, whatever the mail server does',
  // A hundredth of it on SQLite alone: each kill starts servers anew.
  run: (size) =>
    size === 'full' ? onEveryTarget((target) => measure(target, 40)) : withTarget('SQLite', (target) => measure(target, 2)),
}

interface Site {
  readonly target: StorageTarget
  readonly settings: Readonly<Record<string, string>>
  /** Some of them are dead for a moment. */
  readonly servers: Served[]
}

async function measure(target: StorageTarget, kills: number): Promise<readonly Fact[]> {
  const mailServer = await openMailServer()
  const settings = { RATE_LIMIT: 'off', SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`, MAIL_FROM: 'noreply@example.org' }
  const site: Site = { target, settings, servers: [await serve({ target, settings })] }
  try {
    for (let n = 1; n < PROCESSES; n++) site.servers.push(await serve({ target, settings }))
    const members = await Promise.all(Array.from({ length: MEMBERS }, (_, n) => memberOf(site, `member-${n}`)))
    const seen = { answered: 0, isOver: false }
    const changing = Promise.all(members.map((member) => changeAgainAndAgain(site, member, seen)))
    for (let kill = 0; kill < kills; kill++) {
      makeTrouble(mailServer)
      const enough = seen.answered + CHANGES_PER_KILL
      await until(() => seen.answered >= enough)
      if (kill % 2 === 0) await killOne(site)
      else await killAll(site, mailServer)
    }
    seen.isOver = true
    await changing
    mailServer.trouble('recipient', undefined)
    await killAll(site, mailServer)
    const left = await drain(target)

    const changes = await inDatabase(
      target,
      "SELECT count(*) AS n FROM guildhall_audit WHERE event = 'password_changed' AND outcome = 'success'",
    )
    const made = Number(changes[0]?.n)
    const arrived = new Set(mailServer.mails.map(({ parsed }) => parsed.messageId)).size
    return [
      exactly('kills while mails are sent', kills, kills),
      atLeast('changes of a password that were answered', kills * CHANGES_PER_KILL, seen.answered),
      exactly('of all changes in the audit trail, those without a mail', 0, made - arrived),
      exactly('mails that are left in the outbox', 0, left),
      atMost('mails that arrived once more', (kills + 1) * AT_ONCE, mailServer.mails.length - arrived),
    ]
  } finally {
    for (const server of site.servers) await server.kill()
    await mailServer.close()
  }
}

interface Member {
  readonly username: string
  /** Which of the two passwords, as far as is known. */
  now: number
}

async function memberOf({ servers, target }: Site, username: string): Promise<Member> {
  await ask(`${servers[0]?.base}/api/register`, { body: { username, password: PASSWORDS[0] } })
  const email = `${username}@example.org`
  const sql = 'UPDATE guildhall_users SET email = ?, email_key = ?, email_verified_at = 1 WHERE username_key = ?'
  await inDatabase(target, sql, email, email, username)
  return { username, now: 0 }
}

/** At any server, with a login of its own each time; a change whose answer was cut off may have been made. */
async function changeAgainAndAgain(
  { servers }: Site,
  member: Member,
  seen: { answered: number; isOver: boolean },
): Promise<void> {
  while (!seen.isOver) {
    const base = servers[Math.floor(Math.random() * servers.length)]?.base ?? ''
    try {
      const login = await ask(`${base}/api/login`, { body: { username: member.username, password: PASSWORDS[member.now] } })
      if (login.status === 401) member.now = 1 - member.now
      if (login.status !== 200) continue
      const body = { currentPassword: PASSWORDS[member.now], newPassword: PASSWORDS[1 - member.now] }
      const changed = await ask(`${base}/api/account/password`, { body, headers: { cookie: cookieOf(login) } })
      if (changed.status !== 204) continue
      seen.answered++
      member.now = 1 - member.now
      await sleep(PACE_MS)
    } catch {
      // The server was killed.
      await sleep(PAUSE_MS)
    }
  }
}

function makeTrouble(mailServer: MailServer): void {
  mailServer.trouble('greeting', Math.random() < 0.3 ? 'hang up' : undefined)
  mailServer.trouble('recipient', Math.random() < 0.3 ? 450 : undefined, 'not now', /[0-3]@/)
}

/** Another one takes its place. */
async function killOne({ servers, target, settings }: Site): Promise<void> {
  await servers.shift()?.kill('SIGKILL')
  servers.push(await serve({ target, settings }))
}

/** In the middle of a mail, if there is one. Then as if the time of the next tries had come, and the lease of the dead was over. */
async function killAll({ servers, target, settings }: Site, mailServer: MailServer): Promise<void> {
  mailServer.trouble('greeting', undefined)
  const named = mailServer.named.length
  await until(async () => mailServer.named.length > named || (await mailsLeft(target)) === 0)
  await Promise.all(servers.splice(0).map((server) => server.kill('SIGKILL')))
  await inDatabase(target, "UPDATE guildhall_mails SET due_at = 0 WHERE state = 'waiting'")
  await inDatabase(target, "DELETE FROM guildhall_leases WHERE name = 'outbox'")
  servers.push(...(await Promise.all(Array.from({ length: PROCESSES }, () => serve({ target, settings })))))
}

async function mailsLeft(target: StorageTarget): Promise<number> {
  return Number((await inDatabase(target, 'SELECT count(*) AS n FROM guildhall_mails'))[0]?.n)
}

/** How many mails are left when a minute has brought no progress. */
async function drain(target: StorageTarget): Promise<number> {
  let left = await mailsLeft(target)
  while (left > 0) {
    const before = left
    await until(async () => (await mailsLeft(target)) < before)
    left = await mailsLeft(target)
    if (left >= before) return left
  }
  return 0
}

/** Whether it came to be so in a minute. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + MAX_WAIT_MS
  while (!(await isSo())) {
    if (performance.now() > deadline) return false
    await sleep(PAUSE_MS)
  }
  return true
}
