// A demo of the test's own: its clock may be a month ahead and its process may die, and no other test sees it.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, go, test as base } from './fixtures';
import { Receiver } from './receiver';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The last of what a program said, for when it does not start. */
const SAID = 4_000;
const HERE = join(__dirname, '..');
const POSTGRES = join(__dirname, '../../scripts/postgres.sh');

async function freePort() {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Starts the program and waits until it has said something. */
async function run(args: string[], until: string) {
  const child = spawn('../target/release/reachwire', args, { cwd: HERE, stdio: ['ignore', 'pipe', 'pipe'] });
  // Whatever becomes of the test.
  process.once('exit', () => child.kill('SIGKILL'));
  let said = '';
  await new Promise<void>((serves, fails) => {
    const hear = (text: Buffer) => {
      said = (said + text).slice(-SAID);
      if (said.includes(until)) serves();
    };
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
    child.on('error', fails);
    child.on('exit', (code, signal) => fails(new Error(`the program ended (${code ?? signal}): ${said}`)));
  });
  return child;
}

/** Ends it in the middle of whatever it does. */
async function kill(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((gone) => child.once('exit', gone));
  child.kill('SIGKILL');
  await gone;
}

export class Demo {
  private readonly data = mkdtempSync(join(tmpdir(), 'reachwire-e2e-own-'));
  private readonly clock = join(this.data, 'clock-ahead');
  private ahead = 0;
  private process?: ChildProcess;
  private readonly workers: ChildProcess[] = [];

  private constructor(private readonly port: number, private readonly crm: number, private readonly database: string[]) {}

  /** With a URL, on PostgreSQL. */
  static async start(database?: string) {
    const demo = new Demo(await freePort(), await freePort(), database ? ['--database', database] : []);
    try {
      await demo.begin();
    } catch (error) {
      await demo.end();
      throw error;
    }
    return demo;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the program, on the data that there are, and waits until it serves. */
  async begin() {
    const args = ['demo', '--listen', `127.0.0.1:${this.port}`, '--crm', `127.0.0.1:${this.crm}`, '--data', this.data, '--clock-file', this.clock];
    this.process = await run([...args, ...this.database], 'Reachwire demo');
  }

  /** Ends the program in the middle of whatever it does. */
  async kill() {
    if (this.process) await kill(this.process);
  }

  /** Starts another process that sends for the same database. */
  async startWorker() {
    const address = `127.0.0.1:${await freePort()}`;
    this.workers.push(await run(['serve', '--worker', '--listen', address, '--data', this.data, ...this.database], address));
  }

  async killWorkers() {
    await Promise.all(this.workers.map(kill));
  }

  /** Lets the clock go so much further. */
  pass(milliseconds: number) {
    this.ahead += milliseconds;
    writeFileSync(this.clock, String(this.ahead));
  }

  /** What the demo's clock says, to the minute, as a field of date and time takes it, and so much later. */
  in(milliseconds: number) {
    return new Date(Date.now() + this.ahead + milliseconds).toISOString().slice(0, 16);
  }

  async end() {
    await Promise.all([this.kill(), this.killWorkers()]);
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Starts a PostgreSQL; its URL, and what ends it. `undefined` where there is none. */
async function postgres() {
  try {
    execFileSync(POSTGRES, ['find']);
  } catch {
    return undefined;
  }
  const [folder, port] = [mkdtempSync(join(tmpdir(), 'reachwire-e2e-postgres-')), await freePort()];
  const end = () => {
    process.off('exit', end);
    execFileSync(POSTGRES, ['down', folder], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  };
  // Whatever becomes of the test.
  process.once('exit', end);
  // What it writes goes to a file: a pipe would stay open as long as it runs.
  execFileSync(POSTGRES, ['up', folder, String(port)], { stdio: 'ignore' });
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, end };
}

/** Tests with a demo and a receiver of their own; `page` is at that demo. */
export const test = base.extend<{ database: string | undefined; demo: Demo; receiver: Receiver }>({
  database: undefined,
  demo: [async ({ database }, use) => {
    const demo = await Demo.start(database);
    await use(demo);
    await demo.end();
  }, { timeout: 60_000 }],
  receiver: async ({}, use) => {
    const receiver = await Receiver.start();
    await use(receiver);
    await receiver.stop();
  },
  baseURL: async ({ demo }, use) => use(demo.url),
  timezoneId: 'UTC',
});

/** The same on a PostgreSQL, which several processes can share. */
export const testOnPostgres = test.extend({
  database: [async ({}, use, info) => {
    const found = await postgres();
    info.skip(!found && !process.env.CI, 'there is no PostgreSQL');
    expect(found, 'CI must have PostgreSQL').toBeDefined();
    await use(found!.url);
    found!.end();
  }, { timeout: 60_000 }],
});

/** Edits the demo's webhook: where it leads, and how fast. */
export async function editCouponService(page: Page, url: string, settings: { [label: string]: string } = {}) {
  await go(page, '/webhooks');
  await page.locator('main').getByRole('link', { name: 'Coupon service', exact: true }).click();
  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Enable', exact: true })).toBeVisible();
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await page.getByLabel('Request URL').fill(url);
  for (const [label, value] of Object.entries(settings)) await page.getByLabel(label).fill(value);
}

/** Saves what is edited, and enables it. */
export async function saveAndEnable(page: Page) {
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await page.getByRole('button', { name: 'Enable', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Disable', exact: true })).toBeVisible();
}

/** Ten customers of the demo, as an audience. */
export async function tenPeople(page: Page) {
  await go(page, '/audiences/new?kind=list');
  await page.getByLabel('Audience Name').fill('Ten people');
  await page.getByLabel('ID Type').selectOption('OPEN_ID');
  const ids = Array.from({ length: 10 }, (_, n) => `o6_demo${String(n + 1).padStart(6, '0')}`).join('\n');
  await page.getByLabel('ID list').setInputFiles({ name: 'ten.txt', mimeType: 'text/plain', buffer: Buffer.from(ids) });
  await page.getByRole('button', { name: 'Create Audience' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Ten people');
}

/** Submits a task through Coupon service, at once or at a time; its address. */
export async function submitTask(page: Page, name: string, audience: string, at?: string) {
  await go(page, '/tasks/new');
  await page.getByLabel('Name', { exact: true }).fill(name);
  const crowd = page.getByLabel('Receiving crowd');
  await crowd.selectOption({ label: (await crowd.locator('option', { hasText: audience }).textContent())! });
  await page.getByLabel('Select Webhook').selectOption({ label: 'Coupon service' });
  await page.getByRole('textbox', { name: 'Coupon ID' }).fill('C-1');
  await page.getByRole('textbox', { name: 'Coupon text' }).fill('A coupon for you');
  await page.getByRole('radio', { name: 'OPEN_ID' }).first().check();
  if (at) {
    await page.getByLabel('Scheduled sending').check();
    await page.getByLabel('Sending time').fill(at);
  }
  await page.getByRole('button', { name: 'Submit Sending Task' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
  return new URL(page.url()).pathname;
}
