// For how long a workspace keeps what its tasks sent: the administrator says it, and the days pass.
import { DAY, editCouponService, saveAndEnable, submitTask, tenPeople, test } from './demo';
import { accessible, ADMINISTRATOR, expect, go, looksRight, MARKETER, signIn, tile } from './fixtures';

test('messages are deleted after 30 days, totals stay, and nothing can be sent again', async ({ page, demo, receiver }) => {
  test.setTimeout(120_000);
  let task = '';

  await test.step('a task of which some failed', async () => {
    await signIn(page, ADMINISTRATOR);
    await tenPeople(page);
    await editCouponService(page, receiver.url, { 'Users per request': '5' });
    await saveAndEnable(page);
    receiver.answer = ({ batch }) => batch.endsWith('-b0') ? {} : { code: 'NO-COUPON', message: 'sold out' };
    task = await submitTask(page, 'A month ago', 'Ten people');
    await expect(page.getByText('Finished', { exact: true }).first()).toBeVisible();
    await expect(page.getByRole('button', { name: 'Send failed again' })).toBeVisible();
    await expect(page.getByRole('region', { name: 'Users', exact: true }).getByRole('row')).toHaveCount(11);
  });

  const keep = async (label: string, older?: RegExp) => {
    await go(page, '/organization/workspaces');
    const workspace = page.getByRole('row').filter({ hasText: 'You are here' });
    await workspace.getByRole('button', { name: /^Edit/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit workspace' });
    await dialog.getByLabel('Keep messages for').selectOption({ label });
    await expect(dialog).toContainText('The totals of its report stay.');
    if (older) await expect(dialog).toContainText(older);
    await accessible(page);
    await dialog.getByRole('button', { name: 'OK' }).click();
    await expect(workspace).toContainText(label);
  };

  await test.step('Keep messages for', async () => {
    await go(page, '/organization/workspaces');
    await expect(page.getByRole('row').filter({ hasText: 'You are here' })).toContainText('For ever');
    await keep('180 days');
  });

  await test.step('a day before, everything is there', async () => {
    demo.pass(29 * DAY);
    // Nobody stays signed in for so long.
    await page.context().clearCookies();
    await signIn(page, MARKETER, task);
    await expect(page.getByRole('button', { name: 'Send failed again' })).toBeVisible();
    await expect(page.getByText('C00001')).toBeVisible();
    await page.goto('about:blank');
  });

  await test.step('then the messages go and the totals stay', async () => {
    demo.pass(2 * DAY);
    await page.context().clearCookies();
    await signIn(page, ADMINISTRATOR);
    await keep('30 days', /\d+ tasks? ended longer ago\. With OK their messages are deleted/);
    await expect(async () => {
      await page.context().clearCookies();
      await signIn(page, MARKETER, task);
      await expect(page.getByText('The messages are deleted')).toBeVisible({ timeout: 1_000 });
    }).toPass();
    await expect(page.getByText('The workspace keeps them no longer. The totals above stay.')).toBeVisible();
    await expect(page.getByText('Messages deleted', { exact: true })).toBeVisible();
    await expect(page.getByText('C00001')).toHaveCount(0);
    await expect(page.getByText('10 of 10 decided')).toBeVisible();
    await expect(page.getByText('5 failed: 5 refused: NO-COUPON sold out')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Send failed again' })).toHaveCount(0);
    for (const [label, users] of [['Accepted', /^5\b/], ['Failed', /^5\b/], ['Sent', /^10\b/]] as const) await expect(tile(page, label)).toHaveText(users);
    await looksRight(page);
    await go(page, `${task}?view=batches`);
    await expect(page.getByText('The messages are deleted')).toBeVisible();
    // What was sent a month ago is all gone, and the customer remains.
    await go(page, '/customers/view/C00001');
    await expect(page.getByText('No messages', { exact: true })).toBeVisible();
  });
});
