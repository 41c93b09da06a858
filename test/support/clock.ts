// A clock that tests move by hand: the one that applications get.
export { type TestClock, testClock } from '../../src/testing/index.ts'
