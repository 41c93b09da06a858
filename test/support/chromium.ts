// Finds and starts a real browser, for tests and pictures.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The path in `CHROMIUM`; else the usual names, in the usual folders. */
export function findChromium(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env
  const folders = [...PATH.split(delimiter), '/usr/bin', '/usr/local/bin', '/snap/bin']
  const usual = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  return (CHROMIUM === undefined ? usual : [CHROMIUM]).find(isProgram)
}

export interface LaunchOptions {
  /** Whether the browser keeps whole pages for its Back button, as people's browsers do. Default: it does not, so that walks are steady. */
  readonly keepsPages?: boolean
  /** Names of hosts that are this machine: sites of their own for the browser. Default: none. */
  readonly hosts?: readonly string[]
}

export async function launchChromium({ keepsPages = false, hosts = [] }: LaunchOptions = {}): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('there is no Chromium: install it, or say in CHROMIUM where it is')
  return chromium.launch({
    executablePath,
    args: [
      ...ARGS,
      ...(hosts.length > 0 ? [`--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join(',')}`] : []),
    ],
    ...(keepsPages && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
  })
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
