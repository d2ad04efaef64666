// What people do besides the straight path: the keyboard, the way back, staying on a page.
import { expect, go, hydrated, signIn, test } from './fixtures';

test('a webhook is disabled, edited and saved, one page after the other', async ({ page }) => {
  await signIn(page, undefined, '/webhooks');
  await page.locator('main').getByRole('link', { name: '短信网关', exact: true }).click();
  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Enable', exact: true })).toBeVisible();
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Edit Webhook');
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('短信网关');
  await page.getByRole('button', { name: 'Enable', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Disable', exact: true })).toBeVisible();
  // Away and back.
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Webhook Management' }).click();
  await page.locator('main').getByRole('link', { name: '短信网关', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Disable', exact: true })).toBeVisible();
});

test('Enter in the task form sends to nobody, and inserts a variable in its dialog', async ({ page }) => {
  await signIn(page, undefined, '/tasks/new');
  await page.getByLabel('Receiving crowd').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(page.getByLabel('Receiving crowd')).toBeFocused();
  await page.getByLabel('Select Webhook').selectOption({ label: 'Coupon service' });
  await page.getByRole('textbox', { name: 'Coupon ID' }).fill('C-1');
  await page.getByRole('textbox', { name: 'Coupon text' }).fill('Dear ');
  await page.getByLabel('Name', { exact: true }).fill('By keyboard');
  await page.getByLabel('Name', { exact: true }).press('Enter');
  await page.getByRole('button', { name: 'Insert variable' }).click();
  const dialog = page.getByRole('dialog', { name: 'Insert variable' });
  await dialog.getByLabel('Tag', { exact: true }).selectOption('city');
  await dialog.getByLabel('Variable name').press('Enter');
  await expect(page.getByRole('textbox', { name: 'Coupon text' })).toHaveValue('Dear ${city}');
  await expect(dialog).toBeHidden();
  await expect(page).toHaveURL(/\/tasks\/new/);
});

test('an error goes when its field is corrected', async ({ page, expectErrors }) => {
  expectErrors(/status of 422/);
  await signIn(page, undefined, '/tasks/new');
  await page.getByRole('button', { name: 'Submit Sending Task' }).click();
  await expect(page.getByText('Select the audience to send to.')).toBeVisible();
  await page.getByLabel('Receiving crowd').selectOption({ index: 1 });
  await expect(page.getByText('Select the audience to send to.')).toBeHidden();
  await expect(page.getByText('Select the webhook to send through.')).toBeVisible();
});

test('a page that is left open says when its session has ended', async ({ page, context, expectErrors }) => {
  expectErrors(/status of 401/);
  await signIn(page);
  await go(page, '/tasks');
  await page.getByRole('link', { name: 'Reminder' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Reminder');
  await context.clearCookies({ name: 'reachwire' });
  await expect(page.getByText(/session has ended/i).first()).toBeVisible();
});

test('two days of the audit log are typed one after the other', async ({ page }) => {
  await signIn(page, undefined, '/audit-log');
  // The second day is typed while the list for the first one is on its way.
  await page.getByLabel('From', { exact: true }).fill('2026-01-01');
  await page.getByLabel('Until', { exact: true }).fill('2099-12-31');
  await page.getByLabel('Until', { exact: true }).blur();
  await expect(page).toHaveURL(/from=2026-01-01.*until=2099-12-31/);
  await expect(page.getByLabel('From', { exact: true })).toHaveValue('2026-01-01');
  await expect(page.getByLabel('Until', { exact: true })).toHaveValue('2099-12-31');
  // A day that is emptied filters no more.
  await page.getByLabel('From', { exact: true }).fill('');
  await page.getByLabel('From', { exact: true }).blur();
  await expect(page).toHaveURL(/\?until=2099-12-31$/);
});

test('a save that is refused leads to the first field to correct', async ({ page, expectErrors }) => {
  expectErrors(/status of 422/);
  await signIn(page, undefined, '/roles/new');
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByLabel('Name', { exact: true })).toBeFocused();
  await expect(page.getByLabel('Name', { exact: true })).toBeInViewport();
});

test('Overview asks for nothing while it is hidden, and at once when it is shown again', async ({ page }) => {
  await signIn(page);
  let [asked, answered] = [0, 0];
  const looks = (url: string) => url.includes('load_now');
  page.on('request', (request) => { if (looks(request.url())) asked += 1; });
  page.on('requestfinished', (request) => { if (looks(request.url())) answered += 1; });
  await page.clock.install();
  await go(page, '/');
  // From here on it stands still, but for what it is let run.
  await page.clock.pauseAt(Date.now() + 60_000);
  const hide = (hidden: boolean) => page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, hidden);
  await page.clock.runFor(3_000);
  await expect.poll(() => asked > 0 && asked === answered).toBe(true);
  await hide(true);
  const before = asked;
  await page.clock.runFor(30_000);
  expect(asked).toBe(before);
  await hide(false);
  await expect.poll(() => asked).toBeGreaterThan(before);
});

test('a page whose code does not come offers to load it again', async ({ page, expectErrors }) => {
  expectErrors(/Failed to (fetch|load)|ERR_FAILED/);
  await signIn(page);
  await page.route(/\/pkg\/.*\.wasm/, (route) => route.abort());
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Customers', exact: true }).click();
  await expect(page.getByText('This page could not be loaded')).toBeVisible();
  await page.unroute(/\/pkg\/.*\.wasm/);
  await page.getByRole('button', { name: 'Reload', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Customers');
});

test('a page whose code does not come at first does without until it comes', async ({ page, expectErrors }) => {
  expectErrors(/Failed to (fetch|load)|ERR_FAILED/);
  await signIn(page, undefined, '/webhooks');
  const main = await page.evaluate(() => performance.getEntriesByType('resource').map((one) => one.name).find((name) => /\/pkg\/reachwire[^/]*\.wasm/.test(name)));
  expect(main).toBeTruthy();
  await page.route(/\/pkg\/.*\.wasm/, (route) => (route.request().url() === main ? route.fallback() : route.abort()));
  const refused = () => page.waitForEvent('requestfailed', (request) => request.url().endsWith('.wasm'));
  const notYet = () => expect(page.locator('html[data-hydrated]')).toHaveCount(0);
  const first = refused();
  await page.goto('/customers');
  await first;
  await notYet();
  const second = refused();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Webhook Management' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Webhook Management');
  await second;
  await notYet();
  await page.unroute(/\/pkg\/.*\.wasm/);
  await hydrated(page);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Customers', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Customers');
});
