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

  await page.goto('/tasks?q=no-such-task');
  await expect(page.getByText('No task matches')).toBeVisible();
  await page.goto('/customers?q=C00017');
  await expect(page.getByRole('link', { name: 'C00017' })).toBeVisible();
});
