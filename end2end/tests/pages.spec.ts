// Every page: no console errors (the fixture), no axe violations, nothing sideways at 375 px, in light and dark.
import { accessible, expect, go, noSidewaysScroll, signIn, test } from './fixtures';

const PAGES = [
  ['/', 'Overview'],
  ['/customers', 'Customers'],
  ['/customers/import', 'Import Customers'],
  ['/customers/view/C00001', 'C00001'],
  ['/audiences', 'Audiences'],
  ['/audiences/new', 'Create Audience'],
  ['/campaigns', 'Marketing Campaigns'],
  ['/tasks', 'Webhook'],
  ['/tasks/new', 'Create Sending Task'],
  ['/webhooks', 'Webhook Management'],
  ['/webhooks/new', 'Create Webhook'],
  ['/id-types', 'ID Type Management'],
  ['/webhook-parameters', 'Webhook Parameter Management'],
  ['/webhook-parameters/new', 'Create Webhook Parameter'],
  ['/guide', 'Webhook integration guide'],
  ['/members', 'Members'],
  ['/members/new', 'Add Member'],
  ['/members/import', 'Add'],
  ['/member-groups', 'Member Groups'],
  ['/member-groups/new', 'Create Member Group'],
  ['/roles', 'Roles'],
  ['/roles/new', 'Create Role'],
  ['/api-keys', 'API Keys'],
  ['/audit-log', 'Audit Log'],
  ['/account', 'My account'],
  ['/organization/workspaces', 'Workspaces'],
  ['/organization/accounts', 'Accounts'],
  ['/organization/audit-log', 'Audit Log'],
] as const;

for (const theme of ['light', 'dark'] as const) {
  test(`every page in ${theme}, wide and narrow`, async ({ page }) => {
    test.setTimeout(420_000);
    await page.emulateMedia({ colorScheme: theme });
    await signIn(page);
    const paths: string[] = PAGES.map(([path]) => path);
    // One thing of each kind, found through its list.
    for (const list of ['/audiences', '/campaigns', '/tasks', '/webhooks', '/webhook-parameters', '/members', '/member-groups', '/roles']) {
      await go(page, list);
      const href = await page.locator(`main a[href^="${list}/"]:not([href$="/new"]):not([href$="/import"])`).first().getAttribute('href');
      paths.push(href!);
      if (list === '/tasks') paths.push(`${href}?view=batches`, `${href}/edit`);
      if (list === '/webhooks') paths.push(`${href}/versions`, `${href}/grants`);
      if (['/webhooks', '/webhook-parameters', '/member-groups'].includes(list)) paths.push(`${href}/edit`);
      if (list === '/audiences') paths.push(`${href}?edit=`);
    }
    for (const width of [1320, 375]) {
      await page.setViewportSize({ width, height: 900 });
      for (const path of paths) {
        await test.step(`${path} at ${width} px`, async () => {
          await go(page, path);
          const heading = PAGES.find(([known]) => known === path)?.[1];
          if (heading) await expect(page.getByRole('heading', { level: 1 })).toContainText(heading);
          await noSidewaysScroll(page);
          await accessible(page);
        });
      }
    }
  });
}

test('the sign-in page, and an address where nothing is', async ({ page, expectErrors }) => {
  expectErrors(/404/);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await go(page, '/sign-in');
    await accessible(page);
  }
  await signIn(page);
  const answer = await page.goto('/no/such/page');
  expect(answer!.status()).toBe(404);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('no page at this address');
  await page.getByRole('link', { name: 'Back to the overview' }).click();
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
});

test('pages are fetched one by one, and links between them need no reload', async ({ page }) => {
  await signIn(page);
  await page.evaluate(() => { (window as any).stayed = true; });
  for (const [name, heading] of [['Customers', 'Customers'], ['Audiences', 'Audiences'], ['Marketing Campaigns', 'Marketing Campaigns'], ['Webhook Management', 'Webhook Management'], ['Overview', 'Overview']]) {
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(heading);
  }
  expect(await page.evaluate(() => (window as any).stayed)).toBe(true);
});

test('pages that are asked for all at once come all', async ({ page }) => {
  test.setTimeout(120_000);
  await signIn(page);
  const statuses = await Promise.all(Array.from({ length: 8 }, async (_, nth) => {
    const mine: string[] = [];
    for (let n = nth; n < 480; n += 8) {
      const [path] = PAGES[n % PAGES.length];
      const status = (await page.request.get(path)).status();
      if (status !== 200) mine.push(`${path}: ${status}`);
    }
    return mine;
  }));
  expect(statuses.flat()).toEqual([]);
});
