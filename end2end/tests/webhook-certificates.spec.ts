// "TLS" of a webhook: the authority that its receiver is checked by, and the certificate that is shown to it.
import type { Page } from '@playwright/test';
import { ANOTHER, AUTHORITY, CLIENT, RECEIVER } from './certificates';
import { accessible, expect, go, looksRight, signIn, test as base } from './fixtures';
import { Receiver } from './receiver';

const refused = /Failed to load resource: the server responded with a status of 422/;
const [CA, CERTIFICATE, KEY] = ['CA certificate', 'Client certificate', 'Client key'];

/** The middle of a PEM text: what would give it away. */
const gist = (pem: string) => pem.split('\n')[1].slice(10, 50);

const fact = (page: Page, label: string) => page.locator('.facts > div').filter({ has: page.getByText(label, { exact: true }) }).locator('dd');

/** With a receiver that shows a certificate, and wants to see one. */
const test = base.extend<{ receiver: Receiver }>({
  receiver: async ({}, use) => {
    const { certificate: cert, key } = RECEIVER;
    const receiver = await Receiver.start({ cert, key, ca: AUTHORITY.certificate, requestCert: true, rejectUnauthorized: true });
    await use(receiver);
    await receiver.stop();
  },
});

async function save(page: Page) {
  await page.getByRole('button', { name: 'OK', exact: true }).click();
}

async function testSend(page: Page) {
  await page.getByLabel('Test ID').fill('4711');
  await page.getByRole('button', { name: 'Test Send' }).click();
}

async function edit(page: Page) {
  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Enable', exact: true })).toBeVisible();
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Edit Webhook');
}

test('certificates are checked at their fields, used, told, compared, and their key is never shown', async ({ page, receiver, expectErrors }) => {
  test.setTimeout(120_000);
  expectErrors(refused);
  await signIn(page, undefined, '/webhooks/new');

  await test.step('what is wrong is said next to its field', async () => {
    await page.getByLabel('Webhook Name').fill('Checked coupons');
    await page.getByLabel('None', { exact: true }).check();
    await page.getByLabel('Request URL').fill(receiver.url);
    await page.getByLabel('OPEN_ID', { exact: true }).check();
    await page.getByRole('button', { name: /^Remove parameter/ }).click();
    await expect(page.getByLabel(CA)).toBeHidden();
    await page.getByText('TLS', { exact: true }).click();
    const wrong = [
      [{ [CERTIFICATE]: CLIENT.key }, CERTIFICATE, 'This holds a private key. Enter certificates alone here.'],
      [{ [CA]: 'Receiver CA', [CERTIFICATE]: '' }, CA, 'This is no certificate in PEM form.'],
      [{ [CA]: AUTHORITY.certificate, [KEY]: CLIENT.key }, CERTIFICATE, 'Enter the certificate that the key belongs to.'],
      [{ [CERTIFICATE]: CLIENT.certificate.slice(0, 200), [KEY]: CLIENT.key }, CERTIFICATE, 'This is no certificate in PEM form.'],
      [{ [CERTIFICATE]: CLIENT.certificate, [KEY]: '' }, KEY, 'Enter the key of the client certificate.'],
      [{ [KEY]: 'secret' }, KEY, 'This is no private key in PEM form.'],
      [{ [KEY]: ANOTHER.key }, KEY, 'This key does not belong to the client certificate.'],
    ] as const;
    for (const [typed, label, said] of wrong) {
      for (const [field, text] of Object.entries(typed)) await page.getByLabel(field).fill(text);
      await save(page);
      await expect(page.getByLabel(label), said).toHaveAccessibleDescription(new RegExp(said));
      await expect(page.getByLabel(label)).toHaveAttribute('aria-invalid', 'true');
      for (const other of [CA, CERTIFICATE, KEY].filter((one) => one !== label)) {
        await expect(page.getByLabel(other), said).not.toHaveAttribute('aria-invalid', 'true');
      }
      for (const [field, text] of Object.entries(typed)) await expect(page.getByLabel(field)).toHaveValue(text);
    }
    await looksRight(page);
  });

  await test.step('what is right is told by name, day and fingerprint, and is used', async () => {
    await page.getByLabel(KEY).fill(CLIENT.key);
    await save(page);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Checked coupons');
    await expect(fact(page, CA)).toHaveText(`O=Example, CN=Receiver CA, valid until 2099-12-31, SHA-256 ${AUTHORITY.sha256}`);
    await expect(fact(page, CERTIFICATE)).toHaveText(`O=Example, CN=Reachwire, valid until 2099-12-31, SHA-256 ${CLIENT.sha256}`);
    await expect(page.getByText(KEY)).toHaveCount(0);
    expect(await page.content()).not.toContain(gist(CLIENT.key));
    await testSend(page);
    await expect(page.getByText('Test successful')).toBeVisible();
    expect(receiver.posts).toHaveLength(1);
    await looksRight(page);
  });

  await test.step('a form that is saved without the key keeps it', async () => {
    await edit(page);
    await expect(page.getByLabel(CERTIFICATE)).toHaveValue(CLIENT.certificate);
    await expect(page.getByLabel(KEY)).toHaveValue('');
    await expect(page.getByLabel(KEY)).toHaveAccessibleDescription(/Leave it empty to keep the key that is there\. It can be replaced, not shown\./);
    expect(await page.content()).not.toContain(gist(CLIENT.key));
    await page.getByLabel('Users per request').fill('7');
    await save(page);
    await page.getByRole('button', { name: 'Enable', exact: true }).click();
    await expect(page.getByRole('button', { name: 'Disable', exact: true })).toBeVisible();
    await testSend(page);
    await expect(page.getByText('Test successful')).toBeVisible();
    await expect.poll(() => receiver.posts.length).toBe(2);
  });

  await test.step('without its certificate the receiver wants nothing of it', async () => {
    await edit(page);
    await page.getByLabel(CERTIFICATE).fill('');
    await save(page);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Checked coupons');
    await expect(fact(page, CA)).toBeVisible();
    await expect(fact(page, CERTIFICATE)).toHaveCount(0);
    await testSend(page);
    await expect(page.getByText('Test failed')).toBeVisible();
    expect(receiver.posts).toHaveLength(2);
  });

  await test.step('the versions and the audit log tell what changed, and no key', async () => {
    await page.getByRole('link', { name: '3, all versions' }).click();
    const changed = page.getByRole('row').filter({ hasText: CERTIFICATE });
    await expect(changed).toContainText(`O=Example, CN=Reachwire, valid until 2099-12-31, SHA-256 ${CLIENT.sha256}`);
    await expect(page.getByRole('row').filter({ hasText: CA })).toHaveCount(0);
    await looksRight(page);
    // Nothing is cut off where it is narrow.
    await page.setViewportSize({ width: 375, height: 900 });
    const [shown, wide] = await page.getByRole('region', { name: 'What changed' }).evaluate((table) => [table.clientWidth, table.scrollWidth]);
    expect(wide).toBeLessThanOrEqual(shown);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.getByLabel('From', { exact: true }).selectOption('1');
    await page.getByLabel('To', { exact: true }).selectOption('2');
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await expect(page.getByRole('row').filter({ hasText: 'Users per request' })).toContainText('7');
    await expect(page.getByRole('row').filter({ hasText: CERTIFICATE })).toHaveCount(0);
    await go(page, '/audit-log?q=checked+coupons');
    await expect(page.getByText(CLIENT.sha256).first()).toBeAttached();
    expect(await page.content()).not.toContain(gist(CLIENT.key));
    await accessible(page);
  });
});
