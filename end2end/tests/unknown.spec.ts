// What a crash hid: the server dies in the middle of POSTs, and a person decides what becomes of them.
import type { Page } from '@playwright/test';
import { editCouponService, HOUR, MINUTE, saveAndEnable, submitTask, tenPeople, test } from './demo';
import { ADMINISTRATOR, expect, go, looksRight, MARKETER, panel, signIn, somebody, tile } from './fixtures';

const UNKNOWN = 'The outcome for 5 users is unknown: the server stopped before an answer was recorded';

/** Presses a button that asks, and says yes. */
async function decide(page: Page, button: string, told: RegExp, yes = button) {
  await page.getByRole('button', { name: button, exact: true }).first().click();
  const dialog = page.getByRole('dialog', { name: button });
  await expect(dialog).toContainText(told);
  await dialog.getByRole('button', { name: yes, exact: true }).click();
  await expect(dialog).toBeHidden();
}

test('unknown outcomes: sent again, counted as sent, counted as not sent', async ({ page, browser, demo, receiver }) => {
  test.setTimeout(150_000);
  const errors: string[] = [];
  const marketer = await somebody(browser, errors);
  let [again, sent, notSent, posts] = ['', '', '', 0];

  await test.step('three tasks have a POST under way when the server dies', async () => {
    await signIn(page, ADMINISTRATOR);
    await tenPeople(page);
    await editCouponService(page, receiver.url, { 'Users per request': '5', 'Requests at once': '3' });
    await page.getByLabel('Leave unknown for a person').check();
    await saveAndEnable(page);
    await expect(page.getByText('Leave unknown for a person')).toBeVisible();
    await signIn(marketer, MARKETER);
    const at = demo.in(HOUR);
    again = await submitTask(marketer, 'Maybe sent, again', 'Ten people', at);
    sent = await submitTask(marketer, 'Maybe sent, yes', 'Ten people', at);
    notSent = await submitTask(marketer, 'Maybe sent, no', 'Ten people', at);
    receiver.answer = ({ batch }) => batch.endsWith('-b1') ? 'never' : {};
    // Pages that ask a server that is gone say so in the console.
    for (const one of [page, marketer]) await one.goto('about:blank');
    const watcher = await page.context().newPage();
    await go(watcher, '/');
    demo.pass(HOUR + MINUTE);
    // Of each the first half is on record, and the second is under way.
    await expect(async () => {
      await expect(panel(watcher, 'Sending now').getByText('5 of 10', { exact: true })).toHaveCount(3, { timeout: 5_000 });
      expect(receiver.held).toBe(3);
    }).toPass();
    await watcher.close();
    await demo.kill();
    posts = receiver.posts.length;
    receiver.answer = () => ({});
    await demo.begin();
    // Their leases end.
    demo.pass(MINUTE);
  });

  await test.step('they wait for a person, and say so', async () => {
    await expect(async () => {
      await go(marketer, '/');
      await expect(marketer.getByText('The outcome for 15 users is unknown')).toBeVisible({ timeout: 1_000 });
    }).toPass();
    const waiting = panel(marketer, 'Waiting for a person');
    await expect(waiting.getByRole('listitem')).toHaveText(['Maybe sent, no', 'Maybe sent, yes', 'Maybe sent, again']);
    await looksRight(marketer);
    await waiting.getByRole('link', { name: 'Maybe sent, again' }).click();
    await expect(marketer.getByText(UNKNOWN)).toBeVisible();
    await expect(marketer.getByText('Finished', { exact: true }).first()).toBeVisible();
    await expect(tile(marketer, 'Accepted')).toHaveText(/^5\b/);
    await expect(tile(marketer, 'Unknown')).toHaveText(/^5\b/);
    // Nothing went out again by itself.
    expect(receiver.posts).toHaveLength(posts);
    await looksRight(marketer);
  });

  await test.step('Send unknown again: with the same ids', async () => {
    await decide(marketer, 'Send unknown again', /Of 5 users nobody knows .* same batch and action ids/, 'Send again');
    await expect(tile(marketer, 'Accepted')).toHaveText(/^10\b/);
    await expect(marketer.getByText('10 of 10 decided')).toBeVisible();
    await expect(marketer.getByText(UNKNOWN)).toHaveCount(0);
    const hidden = receiver.posts.find(({ batch }) => batch === `${again.replace('/tasks/', '')}-b1`);
    expect(receiver.posts.slice(posts)).toEqual([hidden]);
    await expect(marketer.getByRole('button', { name: 'Send unknown again' })).toHaveCount(0);
  });

  await test.step('Count as sent: nothing is sent', async () => {
    await go(marketer, sent);
    await decide(marketer, 'Count as sent', /5 users count as accepted .* can't be taken back/);
    await expect(tile(marketer, 'Accepted')).toHaveText(/^10\b/);
    await expect(tile(marketer, 'Unknown')).toHaveText(/^0\b/);
    await expect(marketer.getByText('10 of 10 decided')).toBeVisible();
    await expect(marketer.getByRole('button', { name: 'Send failed again' })).toHaveCount(0);
  });

  await test.step('Count as not sent: failed, and may be sent again', async () => {
    await go(marketer, notSent);
    await decide(marketer, 'Count as not sent', /5 users count as failed .* Send failed again would send to them/);
    await expect(tile(marketer, 'Failed')).toHaveText(/^5\b/);
    expect(receiver.posts).toHaveLength(posts + 1);
    await decide(marketer, 'Send failed again', /same batch and action ids/, 'Send again');
    await expect(tile(marketer, 'Accepted')).toHaveText(/^10\b/);
    await expect(tile(marketer, 'Failed')).toHaveText(/^0\b/);
    expect(receiver.posts).toHaveLength(posts + 2);
  });

  await test.step('nothing waits any more, and the audit log knows who decided', async () => {
    await go(marketer, '/');
    await expect(panel(marketer, 'Sending now')).toBeVisible();
    await expect(panel(marketer, 'Waiting for a person')).toHaveCount(0);
    await go(page, '/audit-log?q=maybe+sent');
    for (const task of ['Maybe sent, again', 'Maybe sent, yes', 'Maybe sent, no']) {
      await expect(page.getByRole('row').filter({ hasText: task }).filter({ hasText: 'Marketer' }).first()).toBeVisible();
    }
  });
  expect(errors).toEqual([]);
});
