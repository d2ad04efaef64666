// Overview while tasks send, fail and wait, as a marketer and an administrator see it.
import type { Page } from '@playwright/test';
import { editCouponService, MINUTE, saveAndEnable, submitTask, tenPeople, test, testOnPostgres } from './demo';
import { ADMINISTRATOR, expect, go, looksRight, MARKETER, panel, signIn, somebody } from './fixtures';

const row = (page: Page, title: string, text: string | RegExp) => panel(page, title).getByRole('row').filter({ hasText: text });

test('nothing is going on, then a task sends, then some fail', async ({ page, browser, receiver }) => {
  test.setTimeout(150_000);
  const errors: string[] = [];
  const marketer = await somebody(browser, errors);

  await test.step('the panels say that nothing goes on, and none says that somebody must decide', async () => {
    await signIn(page, ADMINISTRATOR);
    await signIn(marketer, MARKETER);
    for (const one of [page, marketer]) {
      await expect(panel(one, 'Sending now')).toContainText('Nothing is being sent');
      await expect(panel(one, 'Failures of the last hour')).toContainText('Nothing has failed');
      await expect(panel(one, 'Slow and paused webhooks')).toContainText('All webhooks are well');
      for (const title of ['Waiting for a person', 'Nodes']) await expect(panel(one, title)).toHaveCount(0);
    }
    await looksRight(marketer);
  });

  await test.step('a marketer sees how far his task has come and how fast it goes, without reloading', async () => {
    await tenPeople(page);
    await editCouponService(page, receiver.url, { 'Users per request': '5', 'Users per second': '20' });
    await saveAndEnable(page);
    const task = await submitTask(marketer, 'Under way', 'Loyal buyers');
    await go(marketer, '/');
    const sending = row(marketer, 'Sending now', 'Under way');
    await expect(sending).toContainText('Coupon service');
    await expect(sending).toContainText(/\d users\/s · about \d+ min left/);
    const decided = async () => Number(/([\d,]+) of [\d,]+/.exec((await sending.textContent())!)![1].replace(',', ''));
    const before = await decided();
    await expect.poll(decided).toBeGreaterThan(before);
    await looksRight(marketer);
    // Somebody else pauses it: it is gone from the panel.
    await go(page, task);
    await page.getByRole('button', { name: 'Pause' }).click();
    await expect(page.getByText('Paused', { exact: true }).first()).toBeVisible();
    await expect(panel(marketer, 'Sending now')).toContainText('Nothing is being sent');
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect(sending).toContainText(/users\/s/);
    await sending.getByRole('link', { name: 'Under way' }).click();
    await expect(marketer).toHaveURL((url) => url.pathname === task);
    await marketer.getByRole('button', { name: 'Stop', exact: true }).click();
    await marketer.getByRole('dialog').getByRole('button', { name: 'Stop task' }).click();
    await expect(marketer.getByText('Stopped', { exact: true }).first()).toBeVisible();
  });

  await test.step('why users failed, with how many', async () => {
    receiver.answer = ({ batch }) => batch.endsWith('-b0') ? { code: 'NO-COUPON', message: 'sold out' } : { status: 400 };
    await submitTask(marketer, 'Sold out', 'Ten people');
    await expect(marketer.getByText('Failed', { exact: true }).first()).toBeVisible();
    await go(marketer, '/');
    await expect(row(marketer, 'Failures of the last hour', 'refused: NO-COUPON sold out')).toContainText(/5$/);
    await expect(row(marketer, 'Failures of the last hour', 'HTTP 400')).toContainText(/5$/);
    await expect(panel(marketer, 'Slow and paused webhooks')).toContainText('All webhooks are well');
    await looksRight(marketer);
  });
  expect(errors).toEqual([]);
});

test('a webhook that answers slowly, and one that its breaker holds', async ({ page, browser, demo, receiver }) => {
  test.setTimeout(150_000);
  const errors: string[] = [];
  const marketer = await somebody(browser, errors);
  const title = 'Slow and paused webhooks';
  await signIn(page, ADMINISTRATOR);
  await signIn(marketer, MARKETER);
  await tenPeople(page);
  await editCouponService(page, receiver.url, { 'Users per request': '1' });
  await saveAndEnable(page);
  await go(page, '/');

  await test.step('slow: how long a request takes', async () => {
    receiver.answer = () => ({ after: 1_500 });
    await submitTask(marketer, 'Slowly', 'Ten people');
    await go(marketer, '/');
    for (const one of [page, marketer]) {
      await expect(row(one, title, 'Coupon service')).toContainText(/Slow\/failing\s*A request takes 1\.\d s on average/);
    }
    await expect(row(marketer, 'Recent sending tasks', 'Slowly')).toBeVisible();
  });

  await test.step('failing: until when the breaker holds it, and why', async () => {
    receiver.answer = () => ({ status: 503 });
    const task = await submitTask(marketer, 'Held', 'Ten people');
    await expect(marketer.getByText('Nothing is sent to the webhook at present:')).toContainText(/Paused by the breaker\s*until .*: HTTP 503/);
    for (const one of [page, marketer]) {
      await go(one, '/');
      await expect(row(one, title, 'Coupon service')).toContainText(/Paused by the breaker\s*until .*: HTTP 503/);
      // It is paused, not done: its task stands among those that send.
      await expect(row(one, 'Sending now', 'Held')).toContainText('0 of 10');
      await looksRight(one);
    }
    await row(marketer, title, 'Coupon service').getByRole('link', { name: 'Coupon service' }).click();
    await expect(marketer.getByRole('heading', { level: 1 })).toContainText('Coupon service');
    await expect(marketer.getByText('Paused by the breaker').first()).toBeVisible();
    // The receiver is well again, and the time until the next try passes.
    receiver.answer = () => ({});
    demo.pass(MINUTE);
    await go(marketer, task);
    await expect(marketer.getByText('Finished', { exact: true }).first()).toBeVisible();
    await expect(marketer.getByText('10 of 10 decided')).toBeVisible();
    await go(page, '/');
    await expect(panel(page, title)).not.toContainText('Paused by the breaker');
    await expect(panel(page, 'Sending now')).toContainText('Nothing is being sent');
  });
  expect(errors).toEqual([]);
});

// With SQLite there is one process, and nothing to tell.
testOnPostgres('the nodes, while they run and when one has died, for who runs them', async ({ page, browser, demo }) => {
  testOnPostgres.setTimeout(120_000);
  const errors: string[] = [];
  const marketer = await somebody(browser, errors);
  await signIn(page, ADMINISTRATOR);
  await signIn(marketer, MARKETER);
  await expect(panel(page, 'Sending now')).toBeVisible();
  await expect(panel(page, 'Nodes')).toHaveCount(0);
  await demo.startWorker();
  await expect(async () => {
    await go(page, '/');
    await expect(row(page, 'Nodes', 'Running')).toHaveCount(2, { timeout: 1_000 });
  }).toPass();
  await expect(row(page, 'Nodes', 'web, worker, intake')).toContainText('0 (0 POSTs running)');
  await demo.killWorkers();
  // Who was heard of a moment ago may yet live.
  demo.pass(MINUTE);
  await expect(async () => {
    await go(page, '/');
    await expect(row(page, 'Nodes', 'web, worker, intake')).toContainText('Running', { timeout: 1_000 });
    await expect(row(page, 'Nodes', 'Not heard of')).toContainText('0 when last seen', { timeout: 1_000 });
  }).toPass();
  await looksRight(page);
  await go(marketer, '/');
  await expect(panel(marketer, 'Sending now')).toBeVisible();
  await expect(panel(marketer, 'Nodes')).toHaveCount(0);
  expect(errors).toEqual([]);
});
