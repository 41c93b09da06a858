// Runs an example as its README says, on a port and a database file of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { freePort, type Program, runProgram } from '../support/program.ts'

export interface Example extends Program {
  readonly database: string
}

/** Stopped when the test is over. */
export async function runExample(name: string): Promise<Example> {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-example-'))
  const file = join(folder, 'example.db')
  const port = await freePort()
  const args = ['--conditions=guildhall-source', `examples/${name}/server.ts`]
  const program = await runProgram(args, { port, env: { FILE: file } })
  onTestFinished(async () => {
    await program.stop()
    rmSync(folder, { recursive: true })
  })
  return { ...program, database: `sqlite:${file}` }
}
