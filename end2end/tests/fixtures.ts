import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Browser, type BrowserContextOptions, type Page } from '@playwright/test';
import { writeFileSync } from 'node:fs';

export const ADMINISTRATOR = 'admin@example.com';
export const MARKETER = 'marketer@example.com';
export const PASSWORD = 'reachwire-demo';

// Every test fails on any error in the browser's console and on any page error, except those that it expects.
export const test = base.extend<{ expectErrors: (pattern: RegExp) => void }>({
  expectErrors: [async ({ page }, use) => {
    const expected: RegExp[] = [];
    const errors: string[] = [];
    page.on('console', (message) => { if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`); });
    page.on('pageerror', (error) => errors.push(String(error)));
    await use((pattern) => { expected.push(pattern); });
    expect(errors.filter((error) => !expected.some((pattern) => pattern.test(error)))).toEqual([]);
  }, { auto: true }],
});

export { expect };

/** The wasm has arrived: buttons that need it answer. */
export async function hydrated(page: Page) {
  await page.locator('html[data-hydrated]').waitFor();
}

/** Somebody in a browser of their own, whose console must stay clean, too; refusals by the server are what is tested. */
export async function somebody(browser: Browser, errors: string[], options?: BrowserContextOptions) {
  const page = await (await browser.newContext(options)).newPage();
  const told = (text: string) => { if (!/status of (401|403|404|409|410|422)/.test(text)) errors.push(text); };
  page.on('console', (message) => { if (message.type() === 'error') told(`${message.text()} (${message.location().url})`); });
  page.on('pageerror', (error) => errors.push(String(error)));
  return page;
}

/** Lets the demo's clock be so far ahead; it follows within a moment. */
export function clockAhead(milliseconds: number) {
  writeFileSync(process.env.E2E_CLOCK!, String(milliseconds));
}

export async function signIn(page: Page, email = ADMINISTRATOR, path = '/') {
  await page.goto(`/sign-in?next=${encodeURIComponent(path)}`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
  await hydrated(page);
}

export async function go(page: Page, path: string) {
  const answer = await page.goto(path);
  expect(answer?.status(), `${path} did not come`).not.toBe(500);
  await hydrated(page);
}

/** A panel of a page, by its title. */
export const panel = (page: Page, title: string) => page.locator('section').filter({ has: page.getByRole('heading', { name: title, exact: true }) });

/** A number of a row of numbers, by what it counts. */
export const tile = (page: Page, label: string) => page.locator('.tiles > div').filter({ has: page.getByText(label, { exact: true }) }).locator('dd');

/** Narrow and wide: nothing sideways, and by the rules of accessibility. */
export async function looksRight(page: Page) {
  for (const width of [375, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await noSidewaysScroll(page);
    await accessible(page);
  }
}

export async function noSidewaysScroll(page: Page) {
  const [width, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
  expect(wide, `the page scrolls sideways at ${width} px`).toBeLessThanOrEqual(width);
}

export async function accessible(page: Page) {
  const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']).analyze();
  expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)).toEqual([]);
}
