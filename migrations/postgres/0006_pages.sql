-- The users of a send, some thousand in one row, in place of a row for each. The same as migrations/sqlite/0006, in
-- PostgreSQL's words.

-- content: one line for each user, in the order of their numbers (the first has first_seq) and of their customer ids:
-- a JSON array of the customer id, the ID and the values of the variables; of a skipped one the customer id, null and
-- the reason. skips: the numbers of the skipped ones, a comma before and after each (',3,9,'), '' for none. first_batch and
-- last_batch are the batches of those that are sent to; null when all are skipped. A row is never changed.
create table send_pages (
    workspace_id text not null, send_id text not null, first_seq bigint not null, users bigint not null,
    skips text not null, first_batch bigint, last_batch bigint, first_customer text collate "C" not null,
    last_customer text collate "C" not null, content text not null, primary key (workspace_id, send_id, first_seq)
);
-- Compressing would take longer than writing.
alter table send_pages alter column content set storage external;
create index send_pages_customer on send_pages (workspace_id, send_id, first_customer);

insert into send_pages (workspace_id, send_id, first_seq, users, skips, first_batch, last_batch, first_customer,
                        last_customer, content)
select workspace_id, send_id, min(seq), count(*),
       coalesce(',' || string_agg(seq::text, ',' order by seq) filter (where batch_no is null) || ',', ''),
       min(batch_no), max(batch_no), min(customer_id), max(customer_id),
       string_agg(line, chr(10) order by seq) || chr(10)
from (select *, '[' || to_json(customer_id::text)::text || case
             when batch_no is null then ',null,' || to_json(coalesce(skip_reason, ''))::text
             when coalesce(variables, '[]') = '[]' then ',' || to_json(coalesce(target, ''))::text
             else ',' || to_json(coalesce(target, ''))::text || ',' || substr(variables, 2, length(variables) - 2)
         end || ']' as line
      from send_actions) as lines
group by workspace_id, send_id, seq / 2000;

-- The latest receipt of a user is found among the receipts, in the order that the program has, too.
alter table receipts alter column msg_id type text collate "C", alter column status type text collate "C";
drop table send_actions;

-- What a list of failures, and of what is tried again, looks for.
create index send_batches_not_accepted on send_batches (workspace_id, send_id, state, batch_no)
    where state in ('retry', 'failed', 'skipped', 'unknown');
