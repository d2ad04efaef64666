//! Shares, rates and turns, call by call.

use super::*;

fn send(id: &str, webhook: &str, concurrency: i64, rate: Option<i64>) -> OpenSend {
    OpenSend {
        workspace_id: "w".into(),
        id: id.into(),
        webhook_id: webhook.into(),
        // Without a rate so large that none is claimed ahead.
        batch_size: if rate.is_some() { 10 } else { 1 + AHEAD_USERS },
        version: 1,
        concurrency,
        users_per_second: rate,
        probe: false,
        due_at: 0,
    }
}

/// What each send gets, in the order of the sends.
fn shares(limits: &mut Limits, open: &[OpenSend], now: Millis) -> Vec<usize> {
    let (shares, _) = limits.shares(open, now);
    open.iter().map(|send| shares.iter().find(|(of, _)| of.id == send.id).map_or(0, |(_, share)| *share)).collect()
}

#[test]
fn a_webhooks_concurrency_holds_over_its_sends() {
    let mut limits = Limits::new(64);
    let open = [send("a", "w1", 4, None), send("b", "w1", 4, None)];
    assert_eq!(shares(&mut limits, &open, 0), [4, 4], "two in hand for each POST that may run");
    for _ in 0..8 {
        limits.take("w1", 10);
    }
    assert_eq!(shares(&mut limits, &open, 0), [0, 0]);
    limits.give_back("w1", Some((1, true)));
    assert_eq!(shares(&mut limits, &open, 0).iter().sum::<usize>(), 1);
    let turns: Vec<_> = (0..2).map(|_| shares(&mut limits, &open, 0)).collect();
    assert_ne!(turns[0], turns[1], "the one that is free goes round");
}

#[test]
fn a_slow_webhook_leaves_room_for_another() {
    let mut limits = Limits::new(8);
    let open = [send("a", "slow", 64, None), send("b", "fast", 64, None)];
    assert_eq!(shares(&mut limits, &open, 0), [8, 8]);
    for _ in 0..8 {
        limits.take("slow", 10);
    }
    assert_eq!(shares(&mut limits, &open, 0), [0, 8]);
}

#[test]
fn who_waits_for_answers_keeps_his_part_and_who_has_nothing_to_do_takes_none() {
    let mut limits = Limits::new(8);
    let open = [send("a", "slow", 64, None), send("b", "fast", 64, None)];
    limits.shares(&open, 0);
    limits.take("slow", 10);
    assert_eq!(shares(&mut limits, &open[1..], 0), [8], "one of the other runs");
    limits.give_back("slow", Some((1, true)));
    assert_eq!(shares(&mut limits, &open[1..], 0), [16]);
}

#[test]
fn every_post_is_given_to_somebody() {
    let mut limits = Limits::new(64);
    let open: Vec<_> = (0..50).map(|n| send(&format!("s{n}"), &format!("w{n:02}"), 4, None)).collect();
    assert_eq!(shares(&mut limits, &open, 0), [2; 50], "of none is known yet whether it answers");
    for webhook in open.iter().map(|send| &send.webhook_id) {
        limits.take(webhook, 10);
        limits.give_back(webhook, Some((20, true)));
    }
    let mut got = [0; 50];
    for _ in 0..50 {
        let shares = shares(&mut limits, &open, 0);
        assert_eq!(shares.iter().sum::<usize>(), 2 * 64);
        assert!(shares.iter().all(|share| (2..=4).contains(share)));
        got.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share);
    }
    assert!(got.iter().all(|sum| *sum == 128), "the 14 that are left over go round: {got:?}");
    let few = [send("a", "modest", 1, None), send("b", "greedy", 64, None)];
    assert_eq!(shares(&mut limits, &few, 0), [2, 126]);
}

#[test]
fn turns_do_not_hang_on_how_often_is_asked() {
    let mut limits = Limits::new(64);
    let open = [send("a", "w1", 1, None), send("b", "w1", 1, None)];
    let mut got = [0, 0];
    limits.shares(&open, 0);
    limits.take("w1", 10);
    for _ in 0..10 {
        // A round that finds no room, and one that does.
        limits.take("w1", 10);
        assert_eq!(shares(&mut limits, &open, 0), [0, 0]);
        limits.give_back("w1", Some((1, true)));
        got.iter_mut().zip(shares(&mut limits, &open, 0)).for_each(|(sum, share)| *sum += share);
    }
    assert_eq!(got, [5, 5]);
}

#[test]
fn what_does_not_divide_goes_to_who_has_got_least() {
    let mut limits = Limits::new(64);
    let mut open = vec![send("a", "w1", 2, None), send("b", "w1", 2, None), send("c", "w1", 2, None)];
    let mut got = vec![0; 3];
    for _ in 0..9 {
        got.iter_mut().zip(shares(&mut limits, &open, 0)).for_each(|(sum, share)| *sum += share);
        assert!(got.iter().max().unwrap() - got.iter().min().unwrap() <= 1, "{got:?}");
    }
    open.push(send("new", "w1", 2, None));
    let mut got = [0; 4];
    for _ in 0..8 {
        got.iter_mut().zip(shares(&mut limits, &open, 0)).for_each(|(sum, share)| *sum += share);
    }
    assert_eq!(got, [8; 4], "who comes later has nothing to catch up with");
}

#[test]
fn who_answers_slowly_has_nothing_at_the_door_and_none_of_what_is_left_over() {
    let mut limits = Limits::new(8);
    let open: Vec<_> = ["a", "b", "c"].map(|id| send(id, id, 64, None)).into();
    limits.shares(&open, 0);
    for (id, took) in [("a", 10_000), ("b", 20), ("c", 20)] {
        limits.take(id, 10);
        limits.give_back(id, Some((took, true)));
    }
    for _ in 0..3 {
        assert_eq!(shares(&mut limits, &open, 0), [2, 6, 6]);
        assert_eq!(["a", "b", "c"].map(|id| limits.lanes[id].doors.all()), [2, 3, 3]);
    }
    limits.take("a", 10);
    limits.give_back("a", None);
    assert_eq!(shares(&mut limits, &open, 0)[0], 2, "a batch that was not POSTed tells nothing");
    for _ in 0..12 {
        limits.take("a", 10);
        limits.give_back("a", Some((20, true)));
    }
    assert!(shares(&mut limits, &open, 0)[0] >= 4, "it is well again");
}

#[test]
fn who_answers_fast_has_more_ahead_and_takes_no_place_of_others() {
    let mut limits = Limits::new(64);
    let small = |id: &str| OpenSend { batch_size: 1, ..send(id, id, 16, None) };
    let fast = [small("a")];
    assert_eq!(shares(&mut limits, &fast, 0), [32], "of nobody is known that he is fast");
    let all = |limits: &mut Limits, open: &[OpenSend]| {
        let shares = shares(limits, open, 0);
        for (send, share) in open.iter().zip(&shares) {
            (0..*share).for_each(|_| drop(limits.take(&send.webhook_id, send.batch_size)));
        }
        shares
    };
    all(&mut limits, &fast);
    limits.give_back("a", Some((0, true)));
    assert_eq!(all(&mut limits, &fast), [1 + 1], "as many as it has accepted");
    for _ in 0..2_000 {
        limits.take("a", 1);
        limits.give_back("a", Some((0, true)));
    }
    assert_eq!(all(&mut limits, &fast), [1_023], "what answers within a millisecond");
    assert_eq!(all(&mut limits, &[small("a"), small("b")]), [0, 32], "another's places are his");
    let large = |batch_size| OpenSend { batch_size, ..small("c") };
    shares(&mut limits, &[large(1)], 0);
    limits.take("c", 100);
    limits.give_back("c", Some((4, true)));
    for _ in 0..2_000 {
        limits.take("c", 100);
        limits.give_back("c", Some((4, true)));
    }
    assert_eq!(shares(&mut limits, &[large(1)], 0), [32 + 256], "16 in 4 ms are 256 in 64");
    assert_eq!(shares(&mut limits, &[large(100)], 0), [32 + 160], "16,000 users");
    let limited = OpenSend { users_per_second: Some(100), ..large(1) };
    assert!(shares(&mut limits, &[limited], 0)[0] < 32);
    let two = [large(1), OpenSend { id: "d".into(), ..large(1) }];
    assert_eq!(shares(&mut limits, &two, 0), [16, 16], "several sends take turns");
    limits.take("c", 100);
    limits.give_back("c", Some((4, false)));
    assert_eq!(shares(&mut limits, &[large(1)], 0), [32], "it falls ill");
}

#[test]
fn webhooks_without_anything_to_do_are_forgotten_when_there_are_many() {
    let mut limits = Limits::new(64);
    limits.shares(&[send("busy", "busy", 4, None)], 0);
    limits.take("busy", 10);
    for number in 0..2 * REMEMBERED {
        let id = format!("w{number}");
        limits.shares(&[send(&id, &id, 4, None)], 0);
        assert!(limits.lanes.len() <= REMEMBERED + 1);
    }
    assert!(limits.lanes.contains_key("busy") && limits.lanes.contains_key(&format!("w{}", 2 * REMEMBERED - 1)));
    assert_eq!(limits.in_hand(), 1);
}

#[test]
fn a_probe_is_one_batch_of_all_sends_of_the_webhook() {
    let mut limits = Limits::new(64);
    let probe = |id| OpenSend { probe: true, ..send(id, "ill", 4, None) };
    let open = [probe("a"), probe("b"), probe("c")];
    assert_eq!(shares(&mut limits, &open, 0).iter().sum::<usize>(), 1);
}

#[test]
fn users_per_second_hold_over_any_second() {
    let mut limits = Limits::new(64);
    let open = [send("a", "w1", 64, Some(100))];
    let mut sent = Vec::new();
    for now in 0..5_000 {
        let (shares, wait) = limits.shares(&open, now);
        let batches = shares.first().map_or(0, |(_, share)| *share);
        assert!(batches > 0 || wait.is_some_and(|wait| wait > 0));
        for _ in 0..batches {
            limits.take("w1", 10);
            limits.give_back("w1", Some((1, true)));
            sent.push(now);
        }
    }
    assert!((49..=51).contains(&sent.len()), "5 s at 100 users/s in batches of 10: {}", sent.len());
    assert!(sent.windows(12).all(|some| some[11] - some[0] > 1_000), "{sent:?}");
}

#[test]
fn a_rate_below_the_batch_size_spaces_the_batches() {
    let mut limits = Limits::new(64);
    let open = [send("a", "w1", 64, Some(1))];
    assert_eq!(shares(&mut limits, &open, 0), [1]);
    limits.take("w1", 10);
    limits.give_back("w1", Some((1, true)));
    let (none, wait) = limits.shares(&open, 0);
    assert!(none.is_empty() && wait == Some(10_000));
    assert_eq!(shares(&mut limits, &open, 9_000), [0]);
    assert_eq!(shares(&mut limits, &open, 10_001), [1]);
}

#[test]
fn a_node_has_its_part_of_each_webhook_and_settles_when_it_keeps_to_it() {
    let mut limits = Limits::new(64);
    let open = [send("a", "w1", 5, None)];
    assert_eq!(shares(&mut limits, &open, 0), [10]);
    let doors = limits.take("w1", 10).unwrap();
    let inside: Vec<_> = (0..5).map(|_| futures::FutureExt::now_or_never(doors.enter()).unwrap()).collect();
    assert!(limits.is_settled());
    limits.share_among(Arc::new(View::of("me", &["me", "other"])));
    limits.shares(&[], 0);
    let part = doors.all();
    assert!((2..=3).contains(&part) && !limits.is_settled(), "five run, and others may not have theirs yet");
    drop(inside);
    assert!(limits.is_settled());
    limits.share_among(Arc::new(View::none()));
    assert_eq!((shares(&mut limits, &open, 0), doors.all()), (vec![0], 0), "who is not known has no part");
    let probe = [OpenSend { probe: true, ..send("p", "w1", 5, None) }];
    assert_eq!(shares(&mut limits, &probe, 0), [0]);
}

#[test]
fn nodes_that_share_a_rate_leave_each_other_turns() {
    let mut limits = Limits::new(64);
    let open = [send("a", "w1", 64, Some(1_000))];
    assert_eq!(shares(&mut limits, &open, 0), [1]);
    limits.share_among(Arc::new(View::of("me", &["me", "other"])));
    limits.learn("w1", Rate::new(1_000, 0));
    let (none, wait) = limits.shares(&open, 10);
    assert!(none.is_empty() && wait == Some(TURN - 10));
    assert_eq!(shares(&mut limits, &open, TURN), [3], "what it was late is saved up");
}
