// Bad input gets a clear error next to its cause, and what was typed stays.
import { expect, go, hydrated, signIn, test } from './fixtures';

const failed = /Failed to load resource: the server responded with a status of (401|404|422)/;

test('a webhook with every kind of fault', async ({ page, expectErrors }) => {
  expectErrors(failed);
  await signIn(page, undefined, '/webhooks/new');
  await page.getByLabel('Webhook Name').fill('Faulty webhook');
  await page.getByLabel('Request URL').fill('ftp://crm.example.com');
  await page.getByLabel('Parameter Name').fill('text');
  await page.getByLabel('Display Name').fill('Text');
  await page.getByRole('button', { name: 'Add Template Parameter' }).click();
  await page.getByLabel('Parameter Name').nth(1).fill('text');
  await page.getByLabel('Display Name').nth(1).fill('Text again');
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByText('The URL must begin with https:// or http://.')).toBeVisible();
  await expect(page.getByText('Choose at least one ID type.')).toBeVisible();
  await expect(page.getByText('Another parameter is named “text” already.')).toBeVisible();
  await expect(page.getByLabel('Webhook Name')).toHaveValue('Faulty webhook');
  await expect(page.getByLabel('Request URL')).toHaveAttribute('aria-invalid', 'true');

  // A private address; the demo allows its simulator's alone.
  await page.getByLabel('Request URL').fill('http://10.0.0.7/hook');
  await page.getByLabel('ONEID', { exact: true }).check();
  await page.getByLabel('Parameter Name').nth(1).fill('other');
  await page.locator('input[name="input[key]"]').fill('k');
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByText(/private|not.*public|internal/i).first()).toBeVisible();
  await expect(page).toHaveURL(/\/webhooks\/new/);
});

test('a task that cannot be sent', async ({ page, expectErrors }) => {
  expectErrors(failed);
  await signIn(page, undefined, '/tasks/new');
  await page.getByRole('button', { name: 'Submit Sending Task' }).click();
  await expect(page.getByText('Enter a task name.')).toBeVisible();
  await expect(page.getByText('Select the audience to send to.')).toBeVisible();
  await expect(page.getByText('Select the webhook to send through.')).toBeVisible();

  await page.getByLabel('Name', { exact: true }).fill('Impossible');
  await page.getByLabel('Receiving crowd').selectOption({ index: 1 });
  await page.getByLabel('Select Webhook').selectOption({ label: 'Coupon service' });
  await page.getByRole('textbox', { name: 'Coupon ID' }).fill('C-1');
  await page.getByRole('textbox', { name: 'Coupon text' }).fill('Dear ${nobody}');
  await page.getByLabel('Scheduled sending').check();
  await page.getByLabel('Sending time').fill('2020-01-01T10:00');
  await page.getByRole('button', { name: 'Submit Sending Task' }).click();
  await expect(page.getByText('${nobody} is not one of this text’s variables.').or(page.getByText("${nobody} is not one of this text's variables."))).toBeVisible();
  await expect(page.getByText('This time has passed.')).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Coupon text' })).toHaveValue('Dear ${nobody}');
});

test('a session that ends in the middle of a form', async ({ page, context, expectErrors }) => {
  expectErrors(failed);
  await signIn(page, undefined, '/tasks/new');
  await page.getByLabel('Name', { exact: true }).fill('Typed with care');
  await context.clearCookies({ name: 'reachwire' });
  await page.getByRole('button', { name: 'Submit Sending Task' }).click();
  await expect(page.getByText(/session has ended/i).first()).toBeVisible();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Typed with care');
});

test('a picture is not a CSV file, nor is an empty one', async ({ page, expectErrors }) => {
  expectErrors(failed);
  await signIn(page, undefined, '/customers/import');
  const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');
  const files = [
    ['photo.png', png, 'This is not a CSV file: it looks like a PNG picture. Export the list as CSV (UTF-8) and upload that.'],
    ['empty.csv', Buffer.alloc(0), 'The file is empty.'],
    ['header.csv', Buffer.from('id,name\n'), 'The file has column names but no rows.'],
    ['twice.csv', Buffer.from('id,id\n1,2\n'), 'Two columns are named “id”. Give every column a name of its own.'],
  ] as const;
  for (const [name, buffer, said] of files) {
    await page.getByLabel('CSV file').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
    await page.getByRole('button', { name: 'Upload' }).click();
    await expect(page.getByRole('alert').getByText(said, { exact: true }), name).toBeVisible();
    await expect(page).toHaveURL(/\/customers\/import(\?|$)/);
  }
});

test('things that are not there', async ({ page, expectErrors }) => {
  expectErrors(failed);
  await signIn(page);
  for (const path of ['/tasks/nothing', '/webhooks/nothing', '/webhook-parameters/nothing', '/audiences/nothing', '/campaigns/nothing', '/customers/view/nothing']) {
    const answer = await page.goto(path);
    expect(answer!.status(), path).toBe(404);
    await hydrated(page);
    await expect(page.getByText('Not found').first()).toBeVisible();
  }
});
