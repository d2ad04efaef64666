// A scheduled task whose time passed while nobody looked: it does not begin by itself.
import { HOUR, MINUTE, submitTask, test } from './demo';
import { expect, go, looksRight, MARKETER, panel, signIn, tile } from './fixtures';

test('tasks that missed their time wait for Send now, another time, or Stop', async ({ page, demo }) => {
  test.setTimeout(120_000);
  await signIn(page, MARKETER);
  const at = demo.in(HOUR);
  const now = await submitTask(page, 'Yesterday evening', 'Shanghai', at);
  const later = await submitTask(page, 'Another time', 'Shanghai', at);
  const never = await submitTask(page, 'Not at all', 'Shanghai', at);
  await expect(page.getByText('Pending', { exact: true }).first()).toBeVisible();
  demo.pass(3 * HOUR);

  await test.step('Overview and the list say which', async () => {
    await expect(page.getByText('Missed', { exact: true }).first()).toBeVisible();
    await go(page, '/');
    const waiting = panel(page, 'Waiting for a person');
    await expect(waiting).toContainText('3 tasks missed the time and did not begin: somebody must decide.');
    await looksRight(page);
    await waiting.getByRole('link', { name: '3 tasks missed the time' }).click();
    await expect(page).toHaveURL(/\/tasks\?state=missed$/);
    for (const task of ['Yesterday evening', 'Another time', 'Not at all']) {
      await expect(page.getByRole('row').filter({ hasText: task })).toContainText('Missed');
    }
    await expect(page.getByRole('row').filter({ hasText: 'Reminder' })).toHaveCount(0);
  });

  await test.step('Send now', async () => {
    await page.getByRole('link', { name: 'Yesterday evening' }).click();
    await expect(page.getByText(/Its time was .* UTC\. It was found (1 h 59 min|2 h).* later.* so it did not begin by itself\. Send it now, give it another time, stop it or delete it\./)).toBeVisible();
    for (const button of ['Send now', 'Stop', 'Delete']) await expect(page.getByRole('button', { name: button, exact: true }).first()).toBeVisible();
    await looksRight(page);
    await page.getByRole('button', { name: 'Send now', exact: true }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Send now' });
    await expect(dialog).toContainText(/“Yesterday evening” missed its time\. It begins now, to 1,\d+ users\./);
    await dialog.getByRole('button', { name: 'Send now' }).click();
    await expect(page.getByText('Finished', { exact: true }).first()).toBeVisible();
    await expect(page.getByText(/Its time was/)).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Send now', exact: true })).toHaveCount(0);
    expect(new URL(page.url()).pathname).toBe(now);
  });

  await test.step('another time', async () => {
    await go(page, later);
    await page.getByRole('link', { name: 'Edit', exact: true }).click();
    await page.getByLabel('Sending time').fill(demo.in(HOUR));
    await page.getByRole('button', { name: 'Submit Sending Task' }).click();
    await expect(page.getByText('Pending', { exact: true }).first()).toBeVisible();
    await expect(page.getByText(/Its time was/)).toHaveCount(0);
    demo.pass(HOUR + MINUTE);
    await expect(page.getByText('Finished', { exact: true }).first()).toBeVisible();
  });

  await test.step('Stop: nobody gets it', async () => {
    await go(page, never);
    await page.getByRole('button', { name: 'Stop', exact: true }).first().click();
    await page.getByRole('dialog', { name: 'Stop task' }).getByRole('button', { name: 'Stop task' }).click();
    await expect(page.getByText('Stopped', { exact: true }).first()).toBeVisible();
    await expect(tile(page, 'Sent')).toHaveText(/^0\b/);
    await expect(tile(page, 'Skipped')).toHaveText(/^1,\d+/);
    await go(page, '/');
    await expect(panel(page, 'Sending now')).toBeVisible();
    await expect(panel(page, 'Waiting for a person')).toHaveCount(0);
  });
});
