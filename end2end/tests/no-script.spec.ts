// Forms work before the wasm has arrived, and without it.
import { ADMINISTRATOR, PASSWORD, expect, test } from './fixtures';

test.use({ javaScriptEnabled: false });

test('sign in, create a campaign, search and sign out without scripts', async ({ page }) => {
  await page.goto('/campaigns');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await page.getByLabel('E-mail').fill(ADMINISTRATOR);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('E-mail or password is not right.');
  await page.getByLabel('E-mail').fill(ADMINISTRATOR);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL('/campaigns');
  await expect(page.getByRole('heading', { name: 'Marketing Campaigns' })).toBeVisible();

  await page.getByRole('button', { name: 'Create Campaign' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create Campaign' });
  await expect(dialog).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole('button', { name: 'Create Campaign' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Without scripts');
  await dialog.getByLabel('Start date').fill('2026-03-01');
  await dialog.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page).toHaveURL(/\/campaigns\/[0-9a-f]{32}$/);
  await expect(page.getByRole('heading', { name: 'Without scripts' })).toBeVisible();
  await page.goto('/campaigns?q=without+SCRIPTS');
  await expect(page.getByRole('link', { name: 'Without scripts' })).toBeVisible();

  await page.goto('/tasks?q=no-such-task');
  await expect(page.getByText('No task matches')).toBeVisible();
  await page.goto('/customers?q=C00017');
  await expect(page.getByRole('link', { name: 'C00017' })).toBeVisible();

  await page.getByRole('button', { name: /^Account:/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.goto('/campaigns');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
});
