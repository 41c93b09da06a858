// Waits for what a program does, however busy the machine is: only the time limit of the test ends it.
import { setTimeout as sleep } from 'node:timers/promises'

const PAUSE_MS = 20

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(PAUSE_MS)
}
