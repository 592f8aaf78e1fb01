"""What the audit log calls each use case: one readable table, for the deed and for its refusal alike.

A use case that leaves no entry when it succeeds, because it shows nothing of a person, stands here for its refusals.
Names are never changed.
"""

TABLE = """
access.accept_consent                  access.consent.accept
access.account_of                      access.account.look_up
access.act_for                         access.session.start
access.actor_of                        access.session.resolve
access.actor_of_caller                 access.session.resolve
access.actor_of_client                 access.session.resolve
access.add_passkey                     access.passkey.add
access.answer_launch                   access.app.let_in
access.app_origins                     access.client.list
access.change_client_keys              access.client.change_keys
access.close_review                    access.break_glass.close
access.complete_sign_in                access.sign_in.complete
access.disable_account                 access.account.disable
access.enable_account                  access.account.enable
access.end_all_sessions                access.session.end_all
access.end_break_glass                 access.break_glass.end
access.end_session                     access.session.end
access.enrol_station                   access.station.create
access.find_live_sessions              access.session.resolve
access.find_passkey_origin             access.passkey.place
access.find_proxies                    access.consent.find
access.give_consent                    access.consent.give
access.let_app_in                      access.app.let_in
access.list_accounts                   access.account.list
access.list_app_grants                 access.app.read
access.list_clients                    access.client.list
access.list_consents                   access.consent.list
access.list_reviews                    access.break_glass.list
access.list_sessions                   access.session.list
access.list_stations                   access.station.list
access.look_at_app                     access.app.ask
access.my_apps                         access.app.list
access.my_passkeys                     access.passkey.list
access.my_sessions                     access.session.list
access.names_of                        access.account.list
access.own_station                     access.station.read
access.record_consent                  access.consent.record
access.redeem_code                     access.code.redeem
access.redeem_passkey                  access.passkey.redeem
access.redeem_station_code             access.station.redeem
access.register_client                 access.client.create
access.remove_passkey                  access.passkey.remove
access.renew_station_code              access.station.renew
access.retire_station                  access.station.retire
access.start_app                       access.app.start
access.start_break_glass               access.break_glass.start
access.start_code                      access.code.start
access.start_passkey                   access.passkey.start
access.start_passkey_sign_in           access.passkey.start_sign_in
access.start_sign_in                   access.sign_in.start
access.startable_apps                  access.app.list
access.turn_app_off                    access.app.turn_off
access.who_am_i                        access.account.read
access.withdraw_consent                access.consent.withdraw
audit.find_busy                        audit.event.watch
audit.find_disclosures                 audit.disclosure.find
audit.find_events                      audit.event.find
audit.find_reads                       audit.event.watch
audit.get_checkpoint                   audit.checkpoint.read
audit.get_event                        audit.event.read
audit.prove_event                      audit.event.prove
calendars.end_feed                     calendars.feed.delete
calendars.list_feeds                   calendars.feed.list
calendars.make_feed                    calendars.feed.create
cds.ask_advice                         cds.appointment.tell
cds.send_feedback                      cds.feedback.send
coverage.check_eligibility             coverage.eligibility.check
coverage.check_visit                   coverage.visit.check
coverage.get_coverage                  coverage.coverage.read
coverage.get_eligibility               coverage.eligibility.read
coverage.get_policy                    coverage.policy.read
coverage.get_service_type              coverage.policy.read
coverage.get_visit                     coverage.visit.read
coverage.list_authorisations           coverage.authorisation.list
coverage.list_coverages                coverage.coverage.list
coverage.list_eligibilities            coverage.eligibility.list
coverage.list_visits                   coverage.visit.list
coverage.record_authorisation          coverage.authorisation.record
coverage.record_coverage               coverage.coverage.record
coverage.set_policy                    coverage.policy.set
coverage.set_service_type              coverage.service_type.set
coverage.update_coverage               coverage.coverage.change
directory.find_by_identifier           directory.entry.find
directory.find_entries                 directory.entry.find
directory.find_practitioners           directory.entry.find
directory.find_services                directory.entry.find
directory.find_sites                   directory.entry.find
directory.find_staff                   directory.entry.find
directory.get_practitioner             directory.entry.read
directory.get_service                  directory.entry.read
directory.get_staff                    directory.entry.read
directory.get_visit_type               directory.entry.read
directory.put_directory                directory.entry.put
directory.put_entry                    directory.entry.put
directory.put_resources                directory.entry.put
ehr.list_connections                   ehr.connection.list
ehr.list_untold                        ehr.untold.list
ehr.reconcile                          ehr.reconcile
ehr.resume_connection                  ehr.connection.resume
ehr.retry_untold                       ehr.untold.retry
ehr.set_mode                           ehr.mode.put
ehr.stop_connection                    ehr.connection.stop
flow.actor_of                          flow.sensor.resolve
flow.answer_help                       flow.help.answer
flow.arrive                            flow.queue_entry.arrive
flow.arrive_in_emergency              flow.queue_entry.arrive
flow.ask_for_bed                       flow.bed_request.ask
flow.assign_place                      flow.place.assign
flow.call_entry                        flow.queue_entry.call
flow.call_for_help                     flow.help.call
flow.call_next                         flow.queue_entry.call
flow.call_walk_in                      flow.walk_in.call
flow.cancel_bed_request                flow.bed_request.cancel
flow.change_encounter                  flow.encounter.change
flow.change_sensor                     flow.sensor.change
flow.check_in                          flow.check_in.try
flow.check_in_code                     flow.check_in.tell
flow.count_places                      flow.place.count
flow.end_walk_in                       flow.walk_in.end
flow.enrol_sensor                      flow.sensor.create
flow.estimate_wait                     flow.queue_entry.estimate
flow.estimate_waits                    flow.queue.estimate
flow.find_by_code                      flow.check_in.find
flow.find_tickets                      flow.queue.list
flow.get_delay                         flow.delay.list
flow.get_encounter                     flow.encounter.read
flow.get_entry                         flow.queue_entry.read
flow.get_limits                        flow.limits.read
flow.get_place                         flow.place.read
flow.get_precautions                   flow.precaution.read
flow.get_relief                        flow.relief.list
flow.get_tuning                        flow.tuning.list
flow.link_to_turn                      flow.queue_entry.link
flow.list_bed_requests                 flow.bed_request.search
flow.list_delays                       flow.delay.list
flow.list_entries                      flow.queue_entry.search
flow.list_expected                     flow.delay.expected
flow.list_help                         flow.help.list
flow.list_kiosk_queues                 flow.walk_in.offer
flow.list_other_sites                  flow.relief.list
flow.list_places                       flow.place.search
flow.list_queues                       flow.queue.list
flow.list_sensors                      flow.sensor.list
flow.list_tunings                      flow.tuning.list
flow.list_turns                        flow.queue.list
flow.list_walk_ins                     flow.walk_in.list
flow.note_unreached                    flow.queue_entry.unreached
flow.own_turns                         flow.queue_entry.read
flow.preview_policy                    flow.queue.preview
flow.propose_places                    flow.place.propose
flow.propose_turns                     flow.queue.propose
flow.put_encounters                    flow.encounter.put
flow.put_queue                         flow.queue.change
flow.record_encounter                  flow.encounter.record
flow.record_precautions                flow.precaution.record
flow.register_walk_in                  flow.walk_in.register
flow.renew_sensor_secret               flow.sensor.renew
flow.report_readings                   flow.sensor.report
flow.say_by_link                       flow.queue_entry.say_by_link
flow.say_where                         flow.queue_entry.say_where
flow.search_encounters                 flow.encounter.search
flow.see_demand                        flow.queue.demand
flow.set_delay                         flow.delay.set
flow.set_limits                        flow.limits.set
flow.set_precautions                   flow.place.change
flow.set_relief                        flow.relief.set
flow.set_telling                       flow.delay.set_telling
flow.show_calls                        flow.call.show
flow.start_tuning                      flow.tuning.start
flow.step_entry                        flow.queue_entry.step
flow.step_place                        flow.place.step
flow.step_tuning                       flow.tuning.step
flow.stop_sensor                       flow.sensor.stop
flow.take_ticket                       flow.walk_in.take
flow.transfer_entry                    flow.queue_entry.transfer
flow.triage_entry                      flow.queue_entry.triage
flow.turn_by_link                      flow.queue_entry.open
flow.turns_of_visits                   flow.queue_entry.search
flow.undo_step                         flow.queue_entry.undo
hl7.drop_message                       hl7.message.drop
hl7.get_message                        hl7.message.list
hl7.list_messages                      hl7.message.list
hl7.list_patient_messages              hl7.message.export
hl7.read_message                       hl7.message.read
hl7.read_unsent                        hl7.message.read
hl7.replay_message                     hl7.message.replay
hl7.resend_message                     hl7.message.resend
hl7.set_mapping                        hl7.mapping.put
hl7.settle_message                     hl7.message.settle
notifications.list_messages            notifications.communication.list
notifications.notify                   notifications.communication.create
notifications.read_inbox               notifications.inbox.read
notifications.read_local_inbox         notifications.local_inbox.read
notifications.search_communications    notifications.communication.search
orders.get_request                     orders.request.read
orders.record_request                  orders.request.record
orders.search_requests                 orders.request.search
orders.update_request                  orders.request.change
oversight.close_incident               oversight.incident.close
oversight.close_unusual                oversight.unusual.close
oversight.list_incidents               oversight.incident.list
oversight.list_unusual                 oversight.unusual.list
oversight.release                      oversight.restraint.lift
oversight.respond                      oversight.incident.open
patients.compare_names                 patients.patient.compare
patients.create_group                  patients.group.create
patients.delete_group                  patients.group.delete
patients.erase_patient                 patients.patient.erase
patients.find_alike                    patients.patient.find
patients.find_patients                 patients.patient.find
patients.find_patients_by_contact      patients.patient.find_by_contact
patients.find_patients_by_identifier   patients.patient.find
patients.get_group                     patients.group.read
patients.get_merge                     patients.merge.read
patients.get_patient                   patients.patient.read
patients.get_patients                  patients.patient.read
patients.list_members                  patients.group.export
patients.list_patients                 patients.patient.export
patients.merge_patients                patients.patient.merge
patients.put_patients                  patients.patient.put
patients.register_patient              patients.patient.register
patients.search_groups                 patients.group.search
patients.search_patients               patients.patient.find
patients.update_group                  patients.group.change
patients.update_patient                patients.patient.change
records.export_record                  records.record.export
records.get_keeping                    records.retention.read
records.lift_hold                      records.hold.lift
records.list_holds                     records.hold.list
records.set_hold                       records.hold.set
records.set_jurisdiction               records.jurisdiction.set
records.set_retention                  records.retention.set
scheduling.accept_plan                 scheduling.plan.accept
scheduling.advance_appointment         scheduling.appointment.advance
scheduling.answer_by_link              scheduling.offer.answer
scheduling.answer_offer                scheduling.offer.answer
scheduling.block_time                  scheduling.calendar.block
scheduling.book_appointment            scheduling.appointment.book
scheduling.book_series                 scheduling.appointment.book
scheduling.cancel_appointment          scheduling.appointment.cancel
scheduling.change_master               scheduling.master.change
scheduling.confirm_appointment         scheduling.appointment.confirm
scheduling.end_outage                  scheduling.outage.end
scheduling.find_times                  scheduling.time.find
scheduling.get_appointment             scheduling.appointment.read
scheduling.get_calendar                scheduling.calendar.read
scheduling.get_offer                   scheduling.offer.read
scheduling.get_outage                  scheduling.outage.read
scheduling.get_plan                    scheduling.plan.read
scheduling.get_planning_rules          scheduling.planning.read
scheduling.give_time_back              scheduling.time_in_use.give_back
scheduling.give_up_plan                scheduling.plan.give_up
scheduling.hold_time                   scheduling.appointment.hold
scheduling.is_expected                 scheduling.appointment.relate
scheduling.link_to_offer               scheduling.offer.link
scheduling.list_appointments           scheduling.appointment.list
scheduling.list_gaps                   scheduling.gap.list
scheduling.list_masters                scheduling.master.list
scheduling.list_offers                 scheduling.offer.list
scheduling.list_outages                scheduling.outage.list
scheduling.list_plans                  scheduling.plan.list
scheduling.list_schedules              scheduling.schedule.list
scheduling.list_starts                 scheduling.time.find
scheduling.list_versions               scheduling.appointment.read
scheduling.make_offer                  scheduling.offer.make
scheduling.note_offer_unreached        scheduling.offer.unreached
scheduling.offer_by_link               scheduling.offer.open
scheduling.preview_move                scheduling.appointment.preview
scheduling.propose_instead             scheduling.time.find
scheduling.read_board                  scheduling.calendar.read
scheduling.read_use                    scheduling.calendar.use
scheduling.release_hold                scheduling.appointment.release
scheduling.report_outage               scheduling.outage.report
scheduling.reschedule_appointment      scheduling.appointment.reschedule
scheduling.search_appointments         scheduling.appointment.search
scheduling.set_planning_rules          scheduling.planning.set
scheduling.set_working_hours           scheduling.calendar.set_hours
scheduling.start_plan                  scheduling.plan.propose
scheduling.take_time                   scheduling.time_in_use.take
scheduling.unblock_time                scheduling.calendar.unblock
scheduling.withdraw_offer              scheduling.offer.withdraw
subscriptions.change_subscription      subscriptions.subscription.change
subscriptions.end_subscription         subscriptions.subscription.delete
subscriptions.list_events              subscriptions.event.list
subscriptions.list_subscriptions       subscriptions.subscription.list
subscriptions.rotate_secret            subscriptions.secret.rotate
subscriptions.subscribe                subscriptions.subscription.create
vitals.get_observation                 vitals.observation.read
vitals.put_observations                vitals.observation.put
vitals.search_observations             vitals.observation.search
"""
EVENTS = dict(line.split() for line in TABLE.strip().splitlines())
SILENT = frozenset({
    "access.account.list", "access.account.look_up", "access.account.read", "access.app.ask",
    "access.app.list", "access.client.list", "access.code.redeem",
    "access.passkey.list", "access.passkey.place", "access.passkey.start", "access.passkey.start_sign_in", "access.session.list",
    "access.session.resolve", "access.station.list", "access.station.read", "access.station.redeem",
    "access.sign_in.complete", "access.sign_in.start", "audit.checkpoint.read", "audit.event.watch",
    "calendars.feed.list", "coverage.policy.read", "directory.entry.find", "directory.entry.read",
    "ehr.connection.list", "ehr.untold.list",
    "flow.call.show", "flow.check_in.find", "flow.check_in.tell", "flow.check_in.try", "flow.delay.list", "flow.help.list",
    "flow.limits.read",
    "flow.place.count",
    "flow.walk_in.list", "flow.walk_in.offer",
    "flow.queue.demand", "flow.queue.list", "flow.queue.preview", "flow.queue.propose", "flow.queue_entry.estimate",
    "flow.queue_entry.say_by_link", "flow.queue_entry.say_where", "flow.queue_entry.step", "flow.relief.list", "flow.tuning.list",
    "flow.tuning.step",
    "flow.sensor.list", "flow.sensor.report", "flow.sensor.resolve",
    "hl7.message.list",
    "notifications.local_inbox.read", "records.retention.read",
    "scheduling.appointment.relate", "scheduling.calendar.use", "scheduling.gap.list", "scheduling.master.list",
    "scheduling.plan.list", "scheduling.planning.read",
    "scheduling.schedule.list", "scheduling.time.find", "subscriptions.subscription.list",
})  # fmt: skip
"""What leaves an entry only when it is refused: it shows nothing of a person, or another deed stands for it (a session that starts)."""


def event_of(module: str, use_case: str) -> str:
    """The audit log's name for a use case. Raises `KeyError` for one that the table does not have."""
    return EVENTS[f"{module}.{use_case}"]
