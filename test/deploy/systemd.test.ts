// The systemd units in deploy/: valid, as restricted as the guide says, and of a site that can be renewed.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../support/needs.ts'
import { freePort, ROOT } from '../support/program.ts'
import { ask, newFolder, PRODUCTION } from '../support/server.ts'

const DEPLOY = resolve(ROOT, 'deploy')
const UNITS = ['guildhall.service', 'guildhall@.service'] as const
const read = (file: string) => readFileSync(join(DEPLOY, file), 'utf8')
const setting = (unit: string, name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? ''

test('the unit for several sites is the unit for one but for the names', () => {
  const [one, several] = UNITS.map((name) => read(name).split('\n').slice(1).join('\n'))
  expect(several?.replaceAll(/[/-]%i/g, '').replace(' (%i)', '')).toBe(one)
})

test('its command opens the site with the settings of the example, is renewed by a reload, and stops in time with exit code 0', async () => {
  const unit = read('guildhall.service')
  const state = newFolder()
  const etc = newFolder()
  const port = await freePort()
  // Only folders, port, and the paths of Node and the package differ.
  const inPlace = (text: string) =>
    text
      .replaceAll('/var/lib/guildhall', state)
      .replaceAll('/etc/guildhall', etc)
      .replaceAll('/opt/guildhall/node_modules/guildhall', ROOT)
      .replaceAll('/usr/bin/node', process.execPath)
      .replace('PORT=3000', `PORT=${port}`)
  writeFileSync(join(etc, '.env'), inPlace(read('guildhall.env')))
  writeFileSync(join(etc, 'secret'), PRODUCTION.SECRET, { mode: 0o640 })
  const [program = '', ...args] = inPlace(setting(unit, 'ExecStart')).split(' ')
  const child = spawn(program, args, {
    cwd: inPlace(setting(unit, 'WorkingDirectory')),
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()))
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const visit = () =>
    ask('/login', { port, headers: { Host: 'members.example.org', 'X-Forwarded-For': '203.0.113.9' } }).then(
      ({ status, text }) => `${status} ${/<title>(.*)<\/title>/.exec(text)?.[1]}`,
      () => output,
    )
  await expect.poll(visit).toMatch(/^200 .*Guildhall/)
  writeFileSync(join(etc, '.env'), inPlace(read('guildhall.env')).replace('SITE_NAME=Guildhall', 'SITE_NAME="The Anglers"'))
  const reload = setting(unit, 'ExecReload').replace('$MAINPID', String(child.pid))
  execFileSync('sh', ['-c', reload])
  await expect.poll(visit).toMatch(/^200 .*The Anglers/)
  const stoppedAt = performance.now()
  child.kill(setting(unit, 'KillSignal') === 'SIGTERM' ? 'SIGTERM' : 'SIGKILL')
  expect(await ended).toBe(0)
  expect(performance.now() - stoppedAt).toBeLessThan(Number(setting(unit, 'TimeoutStopSec')) * 1000)
  expect(Number(setting(unit, 'TimeoutStopSec'))).toBeGreaterThan(10)
})

describeWith('systemd-analyze', 'systemd', () => {
  describe.each(UNITS)('of %s', (name) => {
    test('finds nothing wrong', () => {
      const folder = newFolder()
      const file = join(folder, name.replace('@', '@site'))
      // The check looks for the programs.
      writeFileSync(join(folder, name), read(name).replace('/usr/bin/node', process.execPath))
      if (file !== join(folder, name)) writeFileSync(file, read(name).replace('/usr/bin/node', process.execPath))
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
      expect([status, stderr]).toEqual([0, ''])
    })

    test.each([
      ['', 1.4],
      ['https.conf', 1.8],
    ])('is as closed as the guide says %s', (more, level) => {
      const folder = newFolder()
      const file = join(folder, name)
      writeFileSync(file, read(name))
      if (more !== '') {
        mkdirSync(`${file}.d`)
        writeFileSync(join(`${file}.d`, more), read(more))
      }
      const { status, stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], {
        encoding: 'utf8',
      })
      expect(status).toBe(0)
      const exposure = Number(/Overall exposure level for .*: ([\d.]+)/.exec(stdout)?.[1])
      expect(exposure).toBeLessThanOrEqual(level)
      expect(readFileSync(join(ROOT, 'docs/guides/deploying.md'), 'utf8')).toMatch(new RegExp(`level of ${level}|${level} with`))
    })
  })
})
