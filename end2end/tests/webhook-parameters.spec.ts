// Webhook Parameter Management, and what a task form makes of it (seed 002, "Manage parameters").
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { accessible, expect, go, signIn, test } from './fixtures';

const refused = /Failed to load resource: the server responded with a status of (409|422)/;

/** An interface that answers as told; the last of the answers again and again. */
async function face(answers: Array<{ status?: number; body: string }>): Promise<{ url: string; server: Server }> {
  let asked = 0;
  const server = createServer((request, response) => {
    request.resume();
    const answer = answers[Math.min(asked++, answers.length - 1)];
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/values`, server };
}

const values = (...all: string[]) => JSON.stringify({ code: 'OK', message: '', data: all.map((value) => ({ value, name: `Shown ${value}` })) });

/** Opens a select of values and chooses by typing. */
async function choose(page: Page, label: string, text: string, option: string | RegExp) {
  const input = page.getByRole('combobox', { name: label, exact: true });
  await input.click();
  await input.fill(text);
  await page.locator('.combobox-list:not([hidden])').getByRole('option', { name: option }).first().click();
}

test('a constant-based parameter: 20 values, no 21st; details, edit, delete', async ({ page, expectErrors }) => {
  expectErrors(refused);
  await signIn(page, undefined, '/webhook-parameters');
  await page.getByRole('link', { name: 'Create Webhook Parameter' }).first().click();
  await page.getByLabel('Parameter Name', { exact: true }).fill('E2E level');
  await page.getByLabel('Constant-based').check();
  await page.getByLabel('Parameter Description').fill('How loud it is said.');
  const group = page.getByRole('group', { name: 'Parameter value settings' });
  for (let n = 0; n < 20; n++) {
    if (n > 0) await group.getByRole('button', { name: /^Add/ }).click();
    await group.getByLabel('Parameter value').nth(n).fill(`L${n}`);
    await group.getByLabel('Display name').nth(n).fill(n === 0 ? '🎁'.repeat(32) : `  Level ${n} `);
  }
  await expect(group.getByRole('button', { name: /^Add/ })).toBeDisabled();
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('E2E level');
  await expect(page.getByRole('row')).toHaveCount(21);
  await expect(page.getByText('Nobody yet')).toBeVisible();

  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await page.getByLabel('Parameter Name', { exact: true }).fill('E2E loudness');
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('E2E loudness');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page).toHaveURL(/\/webhook-parameters$/);
  await expect(page.getByText('E2E loudness')).toHaveCount(0);
});

test('what is used is not deleted, and a cycle of associations is refused', async ({ page, expectErrors }) => {
  expectErrors(refused);
  await signIn(page, undefined, '/webhook-parameters');
  await page.getByRole('link', { name: 'Province', exact: true }).click();
  await expect(page.getByRole('link', { name: 'Shop invitation' })).toBeVisible();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText(/webhook “Shop invitation”/).first()).toBeVisible();
  // Province by Shop, which hangs on City, which hangs on Province.
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  const others = page.getByRole('group', { name: 'Other parameters' });
  await page.getByRole('radiogroup', { name: 'Associate with other parameters' }).first().getByLabel('Yes').check();
  await others.getByLabel('Parameter name').fill('shop');
  await others.getByLabel('Display name').fill('Shop');
  await others.getByLabel('Associated parameter selection').last().selectOption({ label: 'Shop' });
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByText(/Province.*Shop.*City.*Province/).first()).toBeVisible();
});

test('values cascade in the task form, are found by typing, and go with the task', async ({ page, expectErrors }) => {
  // The dry run of a form that is not complete yet.
  expectErrors(refused);
  await signIn(page, undefined, '/tasks/new');
  await page.getByLabel('Name', { exact: true }).fill('E2E invitation');
  await page.getByLabel('Receiving crowd').selectOption({ index: 1 });
  await page.getByLabel('Select Webhook').selectOption({ label: 'Shop invitation' });
  // The city hangs on the province.
  await page.getByRole('combobox', { name: 'City', exact: true }).click();
  await expect(page.getByText('Choose Province first.')).toBeVisible();
  await page.keyboard.press('Escape');
  await choose(page, 'Province', '浙江', /Zhejiang/);
  await choose(page, 'City', 'hang', /Hangzhou/);
  await choose(page, 'Shop', '', /./);
  await expect(page.getByRole('combobox', { name: 'Shop', exact: true })).not.toHaveValue('');
  // Another province: its city is another, and so is its shop.
  const province = page.getByRole('combobox', { name: 'Province', exact: true });
  await province.focus();
  await page.keyboard.press('ArrowDown');
  await province.fill('shandong');
  await expect(page.getByRole('option', { name: /Shandong/ })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(province).toHaveValue('Shandong 山东');
  await expect(page.getByRole('combobox', { name: 'City', exact: true })).toHaveValue('');
  await expect(page.getByRole('combobox', { name: 'Shop', exact: true })).toHaveValue('');
  // Emptied, it is chosen no more.
  await choose(page, 'City', 'qing', /Qingdao/);
  await page.getByRole('combobox', { name: 'City', exact: true }).fill('');
  await page.keyboard.press('Enter');
  await expect(page.locator('input[name="task[values][1][value]"]')).toHaveValue('');
  await choose(page, 'City', 'jinan', /Jinan/);
  await choose(page, 'Shop', '', /./);
  await choose(page, 'Coupon type', 'free', /Free shipping/);
  await page.getByRole('textbox', { name: 'Starts', exact: true }).fill('2026-12-24');
  await page.getByLabel('Starts, time (optional)').first().fill('18:30');
  await expect(page.getByRole('complementary', { name: 'Before it is sent' })).toContainText('2026-12-24T18:30:00');
  await accessible(page);
  await page.getByRole('button', { name: 'Submit Sending Task' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('E2E invitation');
  await expect(page.getByText('Jinan 济南 (jinan)')).toBeVisible();
  await expect(page.getByText('Free shipping (SHIPPING)')).toBeVisible();
  await page.getByText('What was passed to the interfaces').click();
  await expect(page.locator('#passed')).toContainText('admin@example.com');
});

test('an interface that fails says why, Retry asks again, and the form keeps what was typed', async ({ page, expectErrors }) => {
  expectErrors(refused);
  const many = values(...Array.from({ length: 10_001 }, (_, n) => `v${n}`));
  const { url, server } = await face([
    { status: 500, body: 'broken' },
    { body: '<html>' },
    { body: JSON.stringify({ code: 'NO_ACCESS', message: 'Ask Ada', data: [] }) },
    { body: many },
    { body: values('one', 'two') },
    { body: values('two') },
  ]);
  try {
    await signIn(page, undefined, '/webhook-parameters/new');
    await page.getByLabel('Parameter Name', { exact: true }).fill('E2E moody');
    await page.getByLabel('Interface URL').fill('http://10.0.0.7/values');
    await page.getByLabel('None', { exact: true }).check();
    await page.getByRole('button', { name: 'OK', exact: true }).click();
    await expect(page.getByText(/not on the public internet|private/i).first()).toBeVisible();
    await page.getByLabel('Interface URL').fill(url);
    await page.getByRole('button', { name: 'OK', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('E2E moody');

    await go(page, '/webhooks/new');
    await page.getByLabel('Webhook Name').fill('E2E moody hook');
    await page.getByLabel('None', { exact: true }).check();
    await page.getByLabel('Request URL').fill(`http://127.0.0.1:${process.env.E2E_CRM_PORT ?? 4877}/coupon`);
    await page.getByLabel('OPEN_ID', { exact: true }).check();
    await page.getByLabel('Parameter Name').fill('mood');
    await page.getByLabel('Display Name').fill('Mood');
    await page.getByLabel('Parameter Type').selectOption({ label: 'String (parameter call)' });
    await page.getByLabel('Constant or interface').selectOption({ label: 'E2E moody' });
    await page.getByRole('button', { name: 'OK', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('E2E moody hook');

    await go(page, '/tasks/new');
    await page.getByLabel('Name', { exact: true }).fill('E2E moody task');
    await page.getByLabel('Receiving crowd').selectOption({ index: 1 });
    await page.getByLabel('Select Webhook').selectOption({ label: 'E2E moody hook' });
    const mood = page.getByRole('combobox', { name: 'Mood', exact: true });
    await mood.click();
    for (const reason of [/HTTP 500/, /JSON/i, /Ask Ada/, /10,000/]) {
      await expect(page.locator('.combobox-list:not([hidden])').getByText(reason)).toBeVisible();
      await page.getByRole('button', { name: 'Retry' }).click();
    }
    await page.getByRole('option', { name: 'Shown one' }).click();
    await expect(mood).toHaveValue('Shown one');
    // Meanwhile the interface says something else: it is looked at again when the task is submitted.
    await page.getByRole('button', { name: 'Submit Sending Task' }).click();
    await expect(page.getByText('“one” is not one of its values any more. Choose again.')).toBeVisible();
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('E2E moody task');
    // Chosen again, the complaint goes.
    await choose(page, 'Mood', 'two', /two/);
    await expect(page.getByText('“one” is not one of its values any more. Choose again.')).toHaveCount(0);
  } finally {
    server.close();
  }
});
