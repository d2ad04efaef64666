import { defineConfig, devices } from '@playwright/test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The demo on a data folder of its own, with its simulator; the tests add to it.
const port = Number(process.env.E2E_PORT ?? 3877);
const crm = Number(process.env.E2E_CRM_PORT ?? 4877);
const given = process.env.E2E_DATA;
const data = given ?? (process.env.E2E_DATA = mkdtempSync(join(tmpdir(), 'reachwire-e2e-')));
// The workers, which are told where it is, end before the server does.
if (!given) process.once('exit', () => rmSync(data, { recursive: true, force: true }));

// How far the demo's clock is ahead: the tests let days pass with it.
const clock = process.env.E2E_CLOCK ?? (process.env.E2E_CLOCK = join(data, 'clock-ahead'));

export default defineConfig({
  testDir: './tests',
  outputDir: './test-results',
  fullyParallel: false,
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 30_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    trace: 'off',
    launchOptions: {
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
    },
  },
  projects: [{ name: 'chromium', use: { ...devices['Desktop Chrome'] } }],
  webServer: {
    command: `../target/release/reachwire demo --listen 127.0.0.1:${port} --crm 127.0.0.1:${crm} --data ${data} --clock-file ${clock}`,
    url: `http://127.0.0.1:${port}/readyz`,
    timeout: 120_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 20_000 },
  },
});
