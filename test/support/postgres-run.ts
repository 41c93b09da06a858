// Makes one database for all tests of a run on PostgreSQL, and drops it afterwards.
import type { TestProject } from 'vitest/node'
import { makeDatabase } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres?: string
  }
}

export default async function prepare(project: TestProject): Promise<() => Promise<void>> {
  const database = await makeDatabase()
  project.provide('postgres', database.url)
  return () => database.drop()
}
