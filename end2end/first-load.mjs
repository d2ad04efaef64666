// Prints what the first page loads transfer, everything included: node first-load.mjs http://127.0.0.1:3000
import { chromium } from '@playwright/test';

const base = process.argv[2];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });

async function measure(name, prepare, path) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await prepare(page);
  // A cold cache, and only what this load transfers.
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.clearBrowserCache');
  let bytes = 0;
  let requests = 0;
  cdp.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; requests += 1; });
  await page.goto(base + path);
  await page.locator('html[data-hydrated]').waitFor();
  await page.waitForLoadState('networkidle');
  console.log(`${name}: ${(bytes / 1000).toFixed(1)} kB in ${requests} requests`);
  await context.close();
}

const signIn = async (page) => {
  await page.goto(`${base}/sign-in`);
  await page.getByLabel('E-mail').fill('admin@example.com');
  await page.getByLabel('Password').fill('reachwire-demo');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname === '/');
};
await measure('first load of the sign-in page', async () => {}, '/sign-in');
await measure('first load of Overview', signIn, '/');
await measure('first load of the task list', signIn, '/tasks');
await browser.close();
