// The integration guide: the calculator computes in the page and tells nobody; receivers by language; fragments.
import { expect, go, hydrated, signIn, test } from './fixtures';

test('the guide of a webhook, its calculator and its receivers', async ({ page }) => {
  await signIn(page, undefined, '/webhooks');
  await page.locator('main a[href^="/webhooks/"]:not([href$="/new"])').first().click();
  await page.getByRole('main').getByRole('link', { name: 'Integration guide' }).click();
  await expect(page.getByText('The examples show the values of the webhook')).toBeVisible();

  const requests: string[] = [];
  page.on('request', (request) => requests.push(`${request.url()} ${request.postData() ?? ''}`));
  const key = page.getByLabel('Key', { exact: true });
  await key.fill('my secret');
  await expect(page.locator('#calculator-message')).toHaveText('16318655232e6eceb5737b473284c930c8ef79090emysecret');
  await expect(page.locator('#calculator-signature')).toHaveText('15a32e063c533a9fbe5d79ebdab2b16664cb3ccbb7f18ad9a4ecd8ac4142cb03');
  expect(requests).toEqual([]);

  await page.getByRole('link', { name: 'PHP', exact: true }).click();
  await expect(page).toHaveURL(/language=php#receivers$/);
  await expect(page.locator('#guide-receiver')).toContainText('<?php');
  await page.getByRole('navigation', { name: 'On this page' }).getByRole('link', { name: 'Calculator' }).click();
  await expect(page.getByRole('heading', { name: 'Calculator' })).toBeInViewport();
  await expect(key).toHaveValue('my secret');
  expect(requests.filter((request) => request.includes('secret'))).toEqual([]);
});

test('a stranger is sent to the sign-in and comes back to the guide', async ({ page }) => {
  await page.goto('/guide?language=go');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await signIn(page, undefined, '/guide?language=go');
  await hydrated(page);
  await expect(page.locator('#guide-receiver')).toContainText('package main');
  await go(page, '/guide?webhook=unknown');
  await expect(page.getByText('There is no such webhook in this workspace')).toBeVisible();
});
