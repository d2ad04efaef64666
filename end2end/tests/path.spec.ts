// The main job, from a CSV file to receipts, through the labels that a marketer sees.
import { readFileSync } from 'node:fs';
import { accessible, expect, go, signIn, test } from './fixtures';

const crm = `http://127.0.0.1:${process.env.E2E_CRM_PORT ?? 4877}`;
const KEY = 'demo key 123456789';

test('import, audience, webhook, campaign, task, dry run, submit, receipts', async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page, undefined, '/customers/import');

  await test.step('import customers', async () => {
    const rows = Array.from({ length: 250 }, (_, n) => `T${String(n).padStart(4, '0')},${n},${n % 10 === 0 ? '' : `Person ${n}`},${(n * 3.5).toFixed(2)},2026-01-${String((n % 28) + 1).padStart(2, '0')}`);
    const csv = ['customer_id,ONEID,nickname,e2e_spend,joined', ...rows, 'T9999,9999,Broken,not a number,2026-01-01', ',1,No id,1,2026-01-01'].join('\n');
    await page.getByLabel('CSV file').setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await page.getByRole('button', { name: 'Upload' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('people.csv');
    await expect(page.getByLabel('Meaning of customer_id')).toHaveValue(/customer_id/);
    await expect(page.getByLabel('Meaning of ONEID')).toHaveValue(/ONEID/);
    await expect(page.getByLabel('Meaning of joined')).toHaveValue(/date/);
    // The one cell that is no number makes the guess a text; the marketer knows better.
    await page.getByLabel('Meaning of e2e_spend').selectOption('tag:number');
    await page.getByRole('button', { name: 'Start Import' }).click();
    await expect(page.getByText('Finished').first()).toBeVisible();
    await expect(page.getByText('not a number').first()).toBeVisible();
    await accessible(page);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: /CSV/ }).click();
    const text = readFileSync(await (await download).path(), 'utf8');
    expect(text.trim().split('\n').length).toBe(3);
    expect(text).toContain('252');
  });

  await test.step('create an audience', async () => {
    await go(page, '/audiences');
    await page.getByRole('link', { name: 'Create Audience' }).click();
    await page.getByRole('link', { name: 'Conditions' }).click();
    await page.getByLabel('Audience Name').fill('E2E spenders');
    await page.getByLabel('Tag of condition 1').selectOption('e2e_spend');
    await page.getByLabel('Comparison of condition 1').selectOption({ label: 'is set' });
    await expect(page.getByText('250').first()).toBeVisible();
    await page.getByRole('button', { name: 'Create Audience' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('E2E spenders');
    await expect(page.getByText('250').first()).toBeVisible();
  });

  await test.step('create a webhook', async () => {
    await go(page, '/webhooks');
    await page.getByRole('link', { name: 'Create Webhook' }).click();
    await page.getByLabel('Webhook Name').fill('E2E coupons');
    await page.getByLabel('Key', { exact: true }).first().check();
    await page.locator('input[name="input[key]"]').fill(KEY);
    await page.getByLabel('Request URL').fill(`${crm}/e2e`);
    await page.getByLabel('ONEID', { exact: true }).check();
    await page.getByLabel('Parameter Name').fill('coupon_text');
    await page.getByLabel('Display Name').fill('Coupon text');
    await page.getByLabel('Parameter Type').selectOption({ label: 'Text' });
    await page.getByLabel('Users per request').fill('20');
    await page.getByLabel('Enable receipt settings').check();
    await page.getByLabel('Status code').fill('200');
    await page.getByLabel('Status value').fill('Success');
    await page.getByRole('button', { name: 'Add Status' }).click();
    await page.getByLabel('Status code').nth(1).fill('500');
    await page.getByLabel('Status value').nth(1).fill('Failed');
    // Preview Message Format follows the form.
    await expect(page.locator('#preview-body')).toContainText('"coupon_text"');
    await page.getByRole('button', { name: 'OK', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('E2E coupons');
    await expect(page.getByText('receiveWebHookCallBack').first()).toBeVisible();
  });

  await test.step('Test Send with its log', async () => {
    await page.getByLabel('Test ID').fill('4711');
    await page.getByRole('textbox', { name: 'Coupon text' }).fill('A test');
    await page.getByRole('button', { name: 'Test Send' }).click();
    await expect(page.getByText('Test successful')).toBeVisible();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download Logs' }).first().click();
    const log = readFileSync(await (await download).path(), 'utf8');
    expect(log).toContain('4711');
    expect(log).not.toContain(KEY);
  });

  await test.step('create a campaign and a sub-campaign', async () => {
    await go(page, '/campaigns');
    await page.getByRole('button', { name: 'Create Campaign' }).click();
    const dialog = page.getByRole('dialog', { name: 'Create Campaign' });
    await dialog.getByLabel('Name').fill('E2E summer');
    await dialog.getByRole('button', { name: 'OK' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('E2E summer');
    await go(page, '/campaigns');
    await page.getByRole('link', { name: 'E2E summer' }).click();
    await page.getByRole('button', { name: 'Create Sub-campaign' }).click();
    await dialog.getByLabel('Name').fill('E2E wave');
    await dialog.getByRole('button', { name: 'OK' }).click();
    await expect(page.getByRole('link', { name: 'E2E wave' })).toBeVisible();
  });

  await test.step('fill in the task; the dry run says who gets it', async () => {
    await go(page, '/tasks');
    await page.getByRole('link', { name: 'Create Sending Task' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill('E2E task');
    await page.getByLabel('E2E summer / E2E wave').check();
    await page.getByLabel('Receiving crowd').selectOption({ label: (await page.getByLabel('Receiving crowd').locator('option', { hasText: 'E2E spenders' }).textContent())! });
    await page.getByLabel('Select Webhook').selectOption({ label: 'E2E coupons' });
    await page.getByRole('textbox', { name: 'Coupon text' }).fill('Dear ');
    await page.getByRole('button', { name: 'Insert variable' }).click();
    const dialog = page.getByRole('dialog', { name: 'Insert variable' });
    await dialog.getByLabel('Tag', { exact: true }).selectOption('nickname');
    await expect(dialog.getByLabel('Variable name')).toHaveValue('nickname');
    await dialog.getByLabel('Skip this user').check();
    await dialog.getByRole('button', { name: 'Insert', exact: true }).click();
    await expect(page.getByRole('textbox', { name: 'Coupon text' })).toHaveValue('Dear ${nickname}');
    await page.getByLabel('SHA256').check();
    const dryRun = page.getByRole('complementary', { name: 'Before it is sent' });
    await expect(dryRun).toContainText('225 users in 12 requests');
    await expect(dryRun).toContainText('25 skipped: 25 empty ${nickname}');
    await expect(dryRun).toContainText('Dear Person');
    await accessible(page);
    const download = page.waitForEvent('download');
    await page.getByText('See who is skipped and why').click();
    await page.getByRole('link', { name: 'Download all as CSV' }).click();
    expect(readFileSync(await (await download).path(), 'utf8').trim().split('\n').length).toBe(26);
  });

  await test.step('Test Send from the task form', async () => {
    await page.getByRole('button', { name: 'Test Send' }).click();
    const dialog = page.getByRole('dialog', { name: 'Test Send' });
    await dialog.getByLabel('Test ID').fill('4712');
    await expect(dialog.getByLabel('Coupon text')).toHaveValue('Dear ${nickname}');
    await dialog.getByRole('button', { name: 'Test Send' }).click();
    await expect(dialog.getByText('Test successful')).toBeVisible();
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  await test.step('submit and watch', async () => {
    await page.getByRole('button', { name: 'Submit Sending Task' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('E2E task');
    await expect(page.getByText('Finished').first()).toBeVisible();
    await expect(page.getByText('250 of 250 decided')).toBeVisible();
    // Receipts arrive by themselves, without reloading.
    await expect(page.getByText('Receipt: Success')).toBeVisible({ timeout: 20_000 });
    await accessible(page);
  });

  await test.step('what every user got', async () => {
    // The table has filled by itself.
    await expect(page.getByRole('row').filter({ hasText: 'T0001' })).toContainText('Accepted');
    await page.getByRole('searchbox', { name: 'Customer or ID' }).fill('T0001');
    await page.getByRole('searchbox', { name: 'Customer or ID' }).press('Enter');
    const row = page.getByRole('row').filter({ hasText: 'T0001' });
    await expect(row).toContainText('Accepted');
    await page.getByLabel('All results').selectOption('skipped');
    await page.getByRole('searchbox', { name: 'Customer or ID' }).fill('');
    await page.getByRole('searchbox', { name: 'Customer or ID' }).press('Enter');
    await expect(page.getByText('Skipped: empty ${nickname}').first()).toBeVisible();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export CSV' }).click();
    expect(readFileSync(await (await download).path(), 'utf8').trim().split('\n').length).toBe(26);
    await page.getByRole('link', { name: 'Batches' }).click();
    await expect(page.getByRole('row')).toHaveCount(13);
    await page.getByRole('row').nth(1).getByRole('link').click();
    await expect(page.getByText('Attempt 1')).toBeVisible();
    // The customer's page knows the message.
    await go(page, '/customers/view/T0001');
    await expect(page.getByRole('link', { name: 'E2E task' })).toBeVisible();
  });

  await test.step('the simulator saw what we say', async () => {
    const answer = await page.request.get(`${crm}/`);
    expect(await answer.text()).toContain('T0');
  });
});
