// Four people in four browsers: an organization administrator, a workspace administrator, a marketer who is granted a
// webhook by a group, and a stranger from another workspace.
import type { Page } from '@playwright/test';
import { accessible, ADMINISTRATOR, clockAhead, expect, go, hydrated, MARKETER, signIn, somebody, test } from './fixtures';

const KEY = 'demo key 123456789';
const DAY = 86_400_000;
const PASSWORD = 'winter lanterns on the quay';
const crm = `http://127.0.0.1:${process.env.E2E_CRM_PORT ?? 4877}`;

/** Invites through the page of members; the link. */
async function invite(page: Page, email: string, role: string) {
  await go(page, '/members/new');
  await page.getByLabel('E-mail').fill(email);
  if (role !== 'Marketer') {
    await page.getByLabel('Marketer', { exact: true }).uncheck();
    await page.getByLabel(role, { exact: true }).check();
  }
  await page.getByRole('button', { name: 'Add Member' }).click();
  await expect(page.getByText('It is valid once')).toBeVisible();
  return (await page.locator('#link').textContent())!.trim();
}

async function join(page: Page, link: string, name: string) {
  await page.goto(link);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Join' }).click();
  await page.waitForURL((url) => url.pathname === '/');
  await hydrated(page);
}

/** Fills in a task for everybody, up to the webhook. */
async function fillTask(page: Page, name: string, webhook: string) {
  await go(page, '/tasks/new');
  await page.getByLabel('Name', { exact: true }).fill(name);
  const crowd = page.getByLabel('Receiving crowd');
  await crowd.selectOption({ label: (await crowd.locator('option', { hasText: 'Winter people' }).textContent())! });
  await page.getByLabel('Select Webhook').selectOption({ label: webhook });
  await page.getByRole('radio', { name: 'OPEN_ID' }).first().check();
}

async function choice(page: Page, webhook: string) {
  await go(page, '/tasks/new');
  return page.getByLabel('Select Webhook').locator('option', { hasText: webhook });
}

test('granting, using, switching the method, expiring and removing', async ({ browser }) => {
  test.setTimeout(240_000);
  const errors: string[] = [];
  const [organization, wanda, max, stranger] = await Promise.all([1, 2, 3, 4].map(() => somebody(browser, errors)));
  let grants = '';

  await test.step('the organization administrator makes a workspace and invites its administrator', async () => {
    await signIn(organization, ADMINISTRATOR, '/organization/workspaces');
    await organization.getByRole('button', { name: 'Create Workspace' }).click();
    const dialog = organization.getByRole('dialog', { name: 'Create Workspace' });
    await dialog.getByLabel('Name').fill('Winter Store');
    await dialog.getByRole('button', { name: 'OK' }).click();
    await organization.getByRole('button', { name: 'Switch to Winter Store' }).click();
    await organization.waitForURL((url) => url.pathname === '/');
    const link = await invite(organization, 'wanda@example.com', 'Administrator');
    await join(wanda, link, 'Wanda');
    await expect(wanda.getByRole('link', { name: 'Webhook Management' })).toBeVisible();
    await expect(wanda.getByRole('link', { name: 'Workspaces' })).toHaveCount(0);
    // The link is used up.
    await stranger.goto(link);
    await expect(stranger.getByRole('heading', { name: 'This link is not valid' })).toBeVisible();
  });

  await test.step('the workspace administrator invites a marketer and puts him into a group', async () => {
    await join(max, await invite(wanda, 'max@example.com', 'Marketer'), 'Max');
    await expect(max.getByRole('link', { name: 'Members', exact: true })).toHaveCount(0);
    await go(max, '/members');
    await expect(max.getByText('You may not see this')).toBeVisible();
    await go(wanda, '/member-groups/new');
    await wanda.getByLabel('Name', { exact: true }).fill('Winter marketing');
    await wanda.getByRole('checkbox', { name: /Max/ }).check();
    await wanda.getByRole('button', { name: 'OK', exact: true }).click();
    await expect(wanda.getByRole('heading', { level: 1 })).toContainText('Winter marketing');
  });

  await test.step('a program imports customers with an API key', async () => {
    await go(wanda, '/api-keys');
    await wanda.getByRole('button', { name: 'Create API Key' }).first().click();
    const dialog = wanda.getByRole('dialog', { name: 'Create API Key' });
    await dialog.getByLabel('Name').fill('Nightly import');
    await dialog.getByLabel('Import customers').check();
    await dialog.getByRole('button', { name: 'Create API Key' }).click();
    const key = (await wanda.locator('#created-key').textContent())!.trim();
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'text/csv' };
    const data = 'customer_id,OPEN_ID\nw1,open-1\nw2,open-2\nw3,open-3\n';
    const api = (await browser.newContext()).request;
    const made = await api.post('/restapi/v1/customers/imports', { headers, data });
    expect(made.status(), await made.text()).toBe(202);
    const { id } = await made.json();
    await expect.poll(async () => (await (await api.get(`/restapi/v1/customers/imports/${id}`, { headers })).json()).status).toBe('finished');
    expect((await api.get('/restapi/v1/customers/imports/x', { headers: { authorization: 'Bearer rw_made_up' } })).status()).toBe(401);
  });

  await test.step('she configures a webhook and an audience', async () => {
    await go(wanda, '/audiences/new');
    await wanda.getByLabel('Audience Name').fill('Winter people');
    await wanda.getByRole('button', { name: 'Create Audience' }).click();
    await expect(wanda.getByRole('heading', { level: 1 })).toContainText('Winter people');
    await go(wanda, '/webhooks/new');
    await wanda.getByLabel('Webhook Name').fill('Winter coupons');
    await wanda.getByLabel('Key', { exact: true }).first().check();
    await wanda.locator('input[name="input[key]"]').fill(KEY);
    await wanda.getByLabel('Request URL').fill(`${crm}/winter`);
    await wanda.getByLabel('OPEN_ID', { exact: true }).check();
    await wanda.getByRole('button', { name: /^Remove/ }).first().click();
    await wanda.getByRole('button', { name: 'OK', exact: true }).click();
    await expect(wanda.getByRole('heading', { level: 1 })).toContainText('Winter coupons');
    grants = `${new URL(wanda.url()).pathname}/grants`;
  });

  await test.step('without a grant he can not choose it', async () => {
    const option = await choice(max, 'Winter coupons');
    await expect(option).toBeDisabled();
    await expect(option).toContainText(/not granted/i);
  });

  await test.step('granted By Member Group, he sends', async () => {
    await go(wanda, '/webhooks');
    await wanda.getByRole('button', { name: 'More actions for Winter coupons' }).click();
    await wanda.getByRole('link', { name: 'Grant', exact: true }).click();
    await wanda.waitForURL((url) => url.pathname === grants);
    await accessible(wanda);
    await wanda.getByLabel('By Member Group').check();
    await wanda.getByRole('checkbox', { name: /Winter marketing/ }).check();
    await wanda.getByRole('button', { name: 'OK', exact: true }).click();
    await expect(wanda.getByRole('row').filter({ hasText: 'Winter marketing' })).toContainText('Current');
    await fillTask(max, 'By group', 'Winter coupons');
    await max.getByRole('button', { name: 'Submit Sending Task' }).click();
    await expect(max.getByRole('heading', { level: 1 })).toContainText('By group');
    await expect(max.getByText('Finished').first()).toBeVisible();
  });

  await test.step('for a stranger from another workspace nothing of it exists', async () => {
    await signIn(stranger, MARKETER);
    for (const path of [grants, grants.replace('/grants', ''), new URL(max.url()).pathname]) {
      expect((await stranger.goto(path))!.status(), path).toBe(404);
      // A page that is left while its parts still come says so in the console.
      await hydrated(stranger);
      await expect(stranger.getByText('Winter')).toHaveCount(0);
    }
  });

  await test.step('switching the method says what it revokes, and revokes it', async () => {
    await go(wanda, grants);
    await wanda.getByLabel('By Member', { exact: true }).check();
    await expect(wanda.getByText('Granting By Member revokes it.')).toBeVisible();
    await wanda.getByRole('checkbox', { name: /Wanda/ }).check();
    await wanda.getByRole('button', { name: 'OK', exact: true }).click();
    await expect(wanda.getByText('Confirm that first.').first()).toBeVisible();
    await wanda.getByRole('checkbox', { name: 'Revoke 1 grant By Member Group' }).check();
    await wanda.getByRole('button', { name: 'OK', exact: true }).click();
    await expect(wanda.getByRole('row').filter({ hasText: 'Wanda' })).toContainText('By Member');
    await expect(wanda.getByRole('row').filter({ hasText: 'Winter marketing' })).toHaveCount(0);
    await expect(await choice(max, 'Winter coupons')).toBeDisabled();
  });

  await test.step('a grant that expires while his task waits makes it fail, not send', async () => {
    await go(wanda, grants);
    const tomorrow = new Date(Date.now() + DAY).toISOString().slice(0, 16);
    await wanda.getByRole('checkbox', { name: /Max/ }).check();
    await wanda.getByLabel('From and Until').check();
    await wanda.getByLabel('Until').last().fill(tomorrow);
    await wanda.getByRole('button', { name: 'OK', exact: true }).click();
    await expect(wanda.getByRole('row').filter({ hasText: 'Max' })).toContainText('Current');
    await fillTask(max, 'Too late', 'Winter coupons');
    await max.getByLabel('Scheduled sending').check();
    await max.locator('input[name="task[send_at]"]').fill(new Date(Date.now() + 2 * DAY).toISOString().slice(0, 16));
    await max.getByRole('button', { name: 'Submit Sending Task' }).click();
    await expect(max.getByText('Pending').first()).toBeVisible();
    // Late, but not so late that it would wait for a person.
    clockAhead(2 * DAY + 600_000);
    await expect(async () => {
      await max.reload();
      await hydrated(max);
      await expect(max.getByText('Failed').first()).toBeVisible({ timeout: 1_000 });
    }).toPass();
    await expect(max.getByText('Max, who submitted this task, has no valid grant of the webhook any more. Nothing was sent.')).toBeVisible();
    await go(wanda, grants);
    await expect(wanda.getByRole('row').filter({ hasText: 'Max' })).toContainText('Expired');
    clockAhead(0);
  });

  await test.step('removing takes effect at once, also for a form that is open', async () => {
    await expect(async () => {
      await go(wanda, grants);
      await expect(wanda.getByRole('row').filter({ hasText: 'Max' })).toContainText('Current', { timeout: 1_000 });
    }).toPass();
    await fillTask(max, 'Removed', 'Winter coupons');
    await wanda.getByRole('button', { name: 'Remove the grant to Max' }).click();
    await wanda.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await expect(wanda.getByRole('row').filter({ hasText: 'Max' })).toHaveCount(0);
    await max.getByRole('button', { name: 'Submit Sending Task' }).click();
    await expect(max.getByText(/not granted to you|No grant of this webhook/).first()).toBeVisible();
  });

  await test.step('a disabled member is out at once', async () => {
    await go(wanda, '/members');
    await wanda.getByRole('button', { name: 'More actions for Max' }).click();
    await wanda.getByRole('button', { name: 'Disable' }).click();
    await expect(wanda.getByRole('dialog')).toContainText('max@example.com');
    await wanda.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await expect(wanda.getByRole('row').filter({ hasText: 'max@example.com' })).toContainText('Disabled');
    await max.goto('/tasks');
    await max.waitForURL((url) => url.pathname === '/sign-in');
  });

  await test.step('the audit log tells it all', async () => {
    await go(organization, '/audit-log?q=winter+coupons');
    for (const text of ['Granted', 'Revoked', 'Wanda']) {
      await expect(organization.getByRole('table').getByText(text).first()).toBeVisible();
    }
    await accessible(organization);
  });
  expect(errors).toEqual([]);
});
