-- The users of a send, some thousand in one row, in place of a row for each. The same as migrations/postgres/0006, in
-- SQLite's words.

-- content: one line for each user, in the order of their numbers (the first has first_seq) and of their customer ids:
-- a JSON array of the customer id, the ID and the values of the variables; of a skipped one the customer id, null and
-- the reason. skips: the numbers of the skipped ones, a comma before and after each (',3,9,'), '' for none. first_batch and
-- last_batch are the batches of those that are sent to; null when all are skipped. A row is never changed.
create table send_pages (
    workspace_id text not null, send_id text not null, first_seq bigint not null, users bigint not null,
    skips text not null, first_batch bigint, last_batch bigint, first_customer text not null,
    last_customer text not null, content text not null, primary key (workspace_id, send_id, first_seq)
);
create index send_pages_customer on send_pages (workspace_id, send_id, first_customer);

insert into send_pages (workspace_id, send_id, first_seq, users, skips, first_batch, last_batch, first_customer,
                        last_customer, content)
select workspace_id, send_id, min(seq), count(*),
       coalesce(',' || group_concat(case when batch_no is null then seq end, ',' order by seq) || ',', ''),
       min(batch_no), max(batch_no), min(customer_id), max(customer_id), group_concat(line, char(10) order by seq) || char(10)
from (select *, '[' || json_quote(customer_id) || case
             when batch_no is null then ',null,' || json_quote(coalesce(skip_reason, ''))
             when coalesce(variables, '[]') = '[]' then ',' || json_quote(coalesce(target, ''))
             else ',' || json_quote(coalesce(target, '')) || ',' || substr(variables, 2, length(variables) - 2)
         end || ']' as line
      from send_actions)
group by workspace_id, send_id, seq / 2000;

-- The latest receipt of a user is found among the receipts.
drop table send_actions;

-- What a list of failures, and of what is tried again, looks for.
create index send_batches_not_accepted on send_batches (workspace_id, send_id, state, batch_no)
    where state in ('retry', 'failed', 'skipped', 'unknown');
