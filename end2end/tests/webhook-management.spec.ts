// Webhook Management, sentence by sentence of seed 002 (docs/quick-audience.md says which).
import { expect, go, signIn, test } from './fixtures';
import type { Page } from '@playwright/test';

const refused = /Failed to load resource: the server responded with a status of (409|422)/;
const crm = `http://127.0.0.1:${process.env.E2E_CRM_PORT ?? 4877}`;

const row = (page: Page, name: string) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });

async function choose(page: Page, name: string, entry: string) {
  await row(page, name).getByRole('button', { name: `More actions for ${name}` }).click();
  await page.locator('.menu:popover-open').getByText(entry, { exact: true }).click();
}

/** Turns a switch of a list; what one sees of it is beside the input. */
const turn = (page: Page, label: string) => page.locator('.switch').filter({ has: page.getByLabel(label) }).click();

test('every setting of Create Webhook, previewed while it is typed', async ({ page }) => {
  await signIn(page, undefined, '/webhooks');
  await page.getByRole('link', { name: 'Create Webhook' }).first().click();
  await page.getByLabel('Webhook Name').fill('  Seed webhook 🎁 ');
  // None: no key is asked for.
  await page.getByLabel('None', { exact: true }).check();
  await expect(page.locator('input[name="input[key]"]')).toBeHidden();
  await page.getByLabel('Key', { exact: true }).first().check();
  await page.getByRole('button', { name: 'Generate key' }).click();
  const key = (await page.locator('#generated-key').textContent())!.trim();
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  await page.getByLabel('Request URL').fill(`${crm}/coupon`);
  await expect(page.getByText('Use https if the receiver has it.')).toBeVisible();
  for (const type of ['MOBILE', 'OPEN_ID']) await page.getByLabel(type, { exact: true }).check();

  const preview = page.locator('#preview-body');
  const kinds = ['String', 'Numeric', 'Text', 'Date'];
  for (const [place, kind] of kinds.entries()) {
    if (place > 0) await page.getByRole('button', { name: 'Add Template Parameter' }).click();
    await page.getByLabel('Parameter Name').nth(place).fill(`p_${kind.toLowerCase()}`);
    await page.getByLabel('Display Name').nth(place).fill(`The ${kind}`);
    await page.getByLabel('Parameter Type').nth(place).selectOption({ label: kind });
    await expect(preview).toContainText(`"p_${kind.toLowerCase()}"`);
  }
  await page.getByLabel('Required', { exact: true }).nth(1).check();

  // Reordered by keyboard and by dragging.
  const names = () => page.getByLabel('Parameter Name').evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value));
  await page.getByRole('button', { name: 'Move down parameter 1' }).press('Enter');
  await expect.poll(names).toEqual(['p_numeric', 'p_string', 'p_text', 'p_date']);
  await page.locator('.grip').nth(3).dragTo(page.locator('.parameter').nth(0));
  await expect.poll(names).toEqual(['p_date', 'p_numeric', 'p_string', 'p_text']);
  await expect(preview).toContainText(/p_date[\s\S]*p_numeric[\s\S]*p_string[\s\S]*p_text/);

  // One that is removed takes nothing of the others with it.
  await page.getByRole('button', { name: 'Remove parameter 2' }).click();
  await expect.poll(names).toEqual(['p_date', 'p_string', 'p_text']);

  await page.getByLabel('Enable Environment Parameter Passing').check();
  await expect(page.locator('#preview-head')).toContainText('X-QA-Workspace-Id');

  await page.getByLabel('Enable receipt settings').check();
  await page.getByLabel('Data retention period').fill('90');
  await page.getByRole('button', { name: 'Add Status' }).click();
  await page.getByLabel('Status code').nth(1).fill('500');
  await page.getByLabel('Status value').nth(1).fill('Failed');
  await page.getByRole('button', { name: 'OK', exact: true }).click();

  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/Seed webhook 🎁/);
  await expect(page.getByText('Enabled', { exact: true })).toBeVisible();
  await expect(page.getByText('200 = Success, 500 = Failed')).toBeVisible();
  await expect(page.getByText('passed in headers')).toBeVisible();
  // The key was shown once.
  expect(await page.content()).not.toContain(key);
});

test('limits at their edges', async ({ page, expectErrors }) => {
  expectErrors(refused);
  await signIn(page, undefined, '/webhooks/new');
  await page.getByLabel('Webhook Name').fill('Edges');
  await page.getByLabel('None', { exact: true }).check();
  await page.getByLabel('Request URL').fill('https://crm.example.com/hook');
  await page.getByLabel('EMAIL', { exact: true }).check();
  // More than an input takes is typed by a script: the server says so itself.
  const set = (label: string, text: string) => page.getByLabel(label).first().evaluate((input, text) => {
    (input as HTMLInputElement).removeAttribute('maxlength');
    (input as HTMLInputElement).value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }, text);
  await set('Parameter Name', 'a'.repeat(33));
  await set('Display Name', '🎁'.repeat(33));
  await page.getByLabel('Enable receipt settings').check();
  await page.getByLabel('Data retention period').fill('91');
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByText('1 to 32 English letters, digits and underscores.')).toBeVisible();
  await expect(page.getByText('At most 32 characters.')).toBeVisible();
  await expect(page.getByText('A number from 1 to 90.')).toBeVisible();
  await set('Parameter Name', 'a'.repeat(32));
  await set('Display Name', '🎁'.repeat(32));
  await page.getByLabel('Data retention period').fill('90');
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/Edges/);
});

test('disable, edit, compare versions, and a second save that is refused', async ({ page, context, expectErrors }) => {
  expectErrors(refused);
  await signIn(page, undefined, '/webhooks');
  // Disable the webhook before editing.
  await page.getByRole('link', { name: 'Edges', exact: true }).click();
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await expect(page.getByText('Disable “Edges” before editing it.')).toBeVisible();
  await page.getByRole('button', { name: 'Disable' }).click();
  await expect(page.getByLabel('Webhook Name')).toHaveValue('Edges');
  // If receipt settings were enabled, status codes and values can't be modified or deleted.
  await expect(page.getByText('can no longer be changed or removed, only added to')).toBeVisible();
  await expect(page.getByLabel('Status code')).toHaveCount(0);

  const other = await context.newPage();
  await go(other, page.url());
  await other.getByLabel('Request URL').fill('https://other.example.com/hook');
  await other.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(other.getByRole('heading', { level: 1 })).toHaveText(/Edges/);
  await page.getByLabel('Users per request').fill('7');
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByText('Request URL: “https://other.example.com/hook” instead of “https://crm.example.com/hook”.')).toBeVisible();
  await expect(page.getByLabel('Users per request')).toHaveValue('7');

  await other.getByRole('link', { name: '2, all versions' }).click();
  await expect(other.getByRole('row').filter({ hasText: 'Version 2 (current)' })).toBeVisible();
  await expect(other.getByRole('row').filter({ hasText: 'Request URL' })).toContainText('https://other.example.com/hook');
});

test('copy, and delete what no task uses', async ({ page }) => {
  await signIn(page, undefined, '/webhooks');
  await choose(page, 'Edges', 'Copy');
  await expect(page.getByText('A copy of “Edges”. It is disabled until you enable it.')).toBeVisible();
  await expect(page.getByLabel('Webhook Name')).toHaveValue('Edges copy');
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByText('Disabled', { exact: true }).first()).toBeVisible();

  // Used by a task: says so, with a link to them.
  await go(page, '/webhooks');
  await turn(page, 'Coupon service enabled');
  await expect(page.getByText('Coupon service is disabled: no new task can use it', { exact: false })).toBeVisible();
  await choose(page, 'Coupon service', 'Delete');
  const dialog = page.getByRole('dialog', { name: 'Delete webhook' });
  await expect(dialog.getByText("can't be deleted; delete the tasks first", { exact: false })).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await turn(page, 'Coupon service enabled');
  await expect(page.getByText('Coupon service is enabled', { exact: false })).toBeVisible();
  // Enabled: disable it first.
  await choose(page, 'Coupon service', 'Delete');
  await expect(dialog.getByText('Disable “Coupon service” before deleting it.')).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).last().click();

  await choose(page, 'Edges copy', 'Delete');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByRole('link', { name: 'Edges copy', exact: true })).toHaveCount(0);
  await row(page, 'Coupon service').getByRole('link', { name: /use Coupon service/ }).click();
  await expect(page).toHaveURL(/\/tasks\?webhook=/);
  await expect(page.getByRole('link', { name: 'Spring coupon, loyal buyers' })).toBeVisible();
});

test('ID Type Management', async ({ page, expectErrors }) => {
  expectErrors(refused);
  await signIn(page, undefined, '/id-types');
  await expect(page.getByRole('row')).toHaveCount(15);
  await page.getByRole('button', { name: 'Create ID Type' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create ID Type' });
  await dialog.getByLabel('Name').fill('Line');
  await dialog.getByLabel('Code').fill('line id');
  await dialog.getByRole('button', { name: 'OK' }).click();
  await expect(dialog.getByText('upper-case English letters, digits and underscores.', { exact: false }).last()).toBeVisible();
  await dialog.getByLabel('Code').fill('LINE_ID');
  await dialog.getByRole('button', { name: 'OK' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'LINE_ID' })).toBeVisible();
  // Refused while an enabled webhook allows only that one.
  await turn(page, 'MOBILE enabled');
  await expect(page.getByText('MOBILE can\'t be disabled', { exact: false })).toContainText('“短信网关”');
  await expect(page.getByLabel('MOBILE enabled')).toBeChecked();
  await turn(page, 'IMEI enabled');
  await expect(page.getByText('IMEI is disabled.')).toBeVisible();
  await go(page, '/webhooks/new');
  await expect(page.getByLabel('LINE_ID', { exact: true })).toBeVisible();
  await expect(page.getByLabel('IMEI', { exact: true })).toHaveCount(0);
});
