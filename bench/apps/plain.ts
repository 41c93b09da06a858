// No session at all: what everything else is compared with.
import express from 'express'
import { type Apps, sendUser, USER } from './app.ts'

export const plainApps: Apps = {
  'node:http': () => (_req, res) => {
    const body = JSON.stringify({ user: USER })
    res.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) })
    res.end(body)
  },
  'bare Express': () => express().get('/profile', sendUser),
}
