// A house of a race in a process of its own: is told on the command line what it is, and tells its parent where it listens.
import { openRaceHouse } from './race-house.ts'

const { base } = await openRaceHouse(JSON.parse(process.argv[2] ?? '{}'))
process.send?.({ base })
