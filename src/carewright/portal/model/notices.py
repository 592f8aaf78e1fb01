"""What the portal says after something was done, or refused: kind, short, and always with what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Notice:
    """A message at the top of the next page. `link` leads on, where the page itself does not."""

    tone: Literal["good", "info", "bad"]
    title: str
    text: str
    link: str = ""
    link_label: str = ""


_LATER = "Nothing was changed. Please wait a moment and try again."

NOTICES: Mapping[str, Notice] = {
    "done.moved": Notice("good", "Your appointment has a new time", "The old time is free for others now. Please note the new one below."),
    "done.released": Notice("info", "We no longer keep that time for you", "Nothing was booked. Choose another time whenever you like."),
    "done.code_sent_again": Notice(
        "info", "A new code is on its way", "If we know you, it comes within a minute. The code from before does not work any more."
    ),
    "done.device_ended": Notice("good", "That device is signed out", "Whoever has it cannot see your appointments any more."),
    "done.devices_ended": Notice("good", "All other devices are signed out", "You are signed in on this one alone."),
    "done.app_off": Notice("good", "That app is turned off",
        "It cannot see your record any more. What it has read before, it may have kept.",
    ),
    "done.passkey_added": Notice(
        "good", "Your passkey is ready", "Next time you sign in with it, and need no code. We have sent you a message about it."
    ),
    "done.passkey_removed": Notice(
        "good", "That passkey is removed", "It opens nothing any more, and whoever signed in by it is signed out. A code always works."
    ),
    "done.feed_ended": Notice(
        "good", "That address is turned off",
        "Nothing can be read at it any more. Your calendar program may keep what it has: delete it there.",
    ),
    "done.said_where": Notice("good", "Thank you, we have noted that", "Here is how it stands now."),
    "done.turn_left": Notice(
        "info", "You do not wait any more", "Your place is free for others now. If that was a mistake, please tell the desk."
    ),
    "portal.turn_moved_on": Notice("info", "Something has changed in the meantime", "Here is how it stands now. Please look again."),
    "portal.not_understood": Notice("bad", "We did not understand that", "Nothing was changed. Please choose one of the buttons below."),
    "flow.step_not_allowed": Notice("info", "That is not possible any more", "Here is how it stands now."),
    "elsewhere.stay_near": Notice("info", "Please stay near", "You are called soon, or we want to keep an eye on you."),
    "elsewhere.no_more_time": Notice(
        "info", "We cannot give you more time", "You keep your place. Please come as soon as you can, and tell the desk."
    ),
    "elsewhere.tell_the_desk": Notice("info", "Please tell the desk that you are here", "You keep your place."),
    "calendars.too_many_feeds": Notice(
        "bad", "You have as many calendar addresses as we keep", "Please turn one off that you no longer use, then make the new one."
    ),
    "calendars.unknown_feed": Notice("info", "That address is turned off already", "Here are the ones that you have now."),
    "done.proxy_accepted": Notice("good", "You may act for them now", "Choose below for whom you want to go on."),
    "done.proxy_withdrawn": Notice("good", "That is withdrawn", "Whoever was acting for you by it is signed out of it at once."),
    "done.signed_out": Notice("info", "You are signed out", "Nobody can see your appointments on this device until you sign in again."),
    "scheduling.time_not_free": Notice(
        "bad", "That time has just been taken", "Somebody else was a little faster. Nothing was booked. Please choose another time."
    ),
    "scheduling.calendar_moved": Notice(
        "bad", "The calendar has just been changed", "Nothing was booked. Please look at the free times again."
    ),
    "scheduling.hold_expired": Notice(
        "bad", "We could not keep that time any longer", "Nothing was booked. It may still be free: please choose a time again."
    ),
    "scheduling.patient_busy": Notice(
        "bad", "You already have an appointment at that time", "Nothing was booked. Please choose a time that does not overlap with it.",
        "/appointments", "See my appointments",
    ),
    "scheduling.hold_limit_reached": Notice(
        "bad", "We are already keeping other times for you", "Book one of them, or let one go; then choose again.",
        "/appointments", "See the times kept for me",
    ),
    "scheduling.outside_rules": Notice(
        "bad", "That time can no longer be booked online",
        "Nothing was booked. Please choose a later time, or call us: we are glad to help.",
    ),
    "scheduling.prerequisite_missing": Notice(
        "bad", "Something has to happen before this visit",
        "This visit needs a referral or an earlier visit first. Nothing was booked. Please call us if you are not sure.",
    ),
    "coverage.not_covered": Notice(
        "bad", "Please call us to book this visit",
        "There is a question about who pays for it. Nothing was booked. We will find a way with you.",
    ),
    "coverage.not_authorised": Notice(
        "bad", "Please call us to book this visit",
        "Your health plan has to agree to it first. Nothing was booked. We will find a way with you.",
    ),
    "scheduling.illegal_step": Notice(
        "bad", "This appointment cannot be changed like that any more", "It was changed in the meantime. Here is how it stands now."
    ),
    "scheduling.unknown_site": Notice("bad", "That visit is not offered there", "Please choose another location."),
    "scheduling.unknown_visit_type": Notice("bad", "We no longer offer that visit", "Please choose another one.", "/", "See all services"),
    "kernel.precondition_failed": Notice(
        "bad", "Your appointment was changed in the meantime", "Here is how it stands now. Please decide again."
    ),
    "kernel.idempotency_in_flight": Notice("info", "We are still working on it", "Please look again in a moment."),
    "kernel.too_many_requests": Notice("bad", "That was a little fast for us", _LATER),
    "kernel.unavailable": Notice("bad", "We cannot reach the calendar just now", _LATER),
    "kernel.outcome_unknown": Notice(
        "bad", "The connection broke while we were saving", "Please look at your appointments to see whether it went through.",
        "/appointments", "See my appointments",
    ),
    "portal.code_just_sent": Notice(
        "info", "A code was sent a moment ago", "It can take a minute to arrive. If nothing has come by then, ask for a new one."
    ),
    "portal.codes_sent_enough": Notice(
        "bad", "We have sent you several codes", "Please use the newest one. If none has arrived, call us: we are glad to help."
    ),
    "portal.sign_in_once_more": Notice(
        "info", "Please sign in once more", "Passkeys open your record, so we make sure that it is you. Then you come back to them."
    ),
    "portal.passkey_not_made": Notice(
        "bad", "This browser could not make a passkey", "Nothing was changed. You can go on signing in with a code, or try another device."
    ),
    "access.passkey_not_right": Notice(
        "bad", "That did not work with this passkey", "Nothing was changed. Please try again, or use a code: that always works."
    ),
    "access.passkeys_enough": Notice(
        "bad", "You have as many passkeys as we keep", "Please remove one that you no longer use, then add the new one."
    ),
    "access.unknown_passkey": Notice("info", "That passkey is gone already", "Here are the ones that you have now."),
    "portal.app_over": Notice("info", "Please begin again in the app",
        "It was a while ago that the app asked, or another has asked since.",
    ),
    "portal.sign_in_over": Notice("info", "Please begin again", "You were away for a while, so we ask you once more who you are."),
    "access.code_not_right": Notice("bad", "That code is not right", "Please look at the newest message, or ask for a new code."),
    "portal.no_time_chosen": Notice("bad", "Please choose a time", "We could not tell which time you chose. Please choose one below."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stop:
    """A page that says why it cannot show what was asked for, and where to go on."""

    title: str
    text: str


STOPS: Mapping[str, Stop] = {
    "kernel.not_found": Stop("We cannot find this page", "The address may be old or mistyped."),
    "kernel.forbidden": Stop("This page is not open to you", "It belongs to somebody else, or you may need to sign in differently."),
    "kernel.unavailable": Stop("We cannot answer just now", _LATER),
    "kernel.too_many_requests": Stop("That was a little fast for us", _LATER),
    "kernel.too_large": Stop("That was too much text for us", "Please shorten it and try again."),
    "scheduling.unknown_appointment": Stop(
        "We cannot find this appointment", "It may have been removed. Your own appointments are listed on one page."
    ),
    "scheduling.unknown_visit_type": Stop(
        "We do not offer this visit", "It may have been renamed. Please choose it from the list of services."
    ),
    "scheduling.booked_elsewhere": Stop(
        "This visit is booked elsewhere", "We cannot book, move or cancel it here yet. Please call us: we are glad to help."
    ),
    "directory.unknown_resource": Stop("We do not offer this", "It may have been renamed. Please choose it from the list of services."),
    "portal.sign_in_closed": Stop(
        "Signing in is not set up here yet",
        "Patients cannot sign in on this system at the moment. Please call us to book, move or cancel a visit.",
    ),
    "access.unknown_app": Stop(
        "We do not know this app", "The app that sent you here is not registered with us, or gave a wrong address. Nothing was shown to it."
    ),
    "access.account_locked": Stop(
        "Signing in is locked for your safety",
        "Too many wrong codes were typed for you. Please call us: we make sure that it is you, and unlock it.",
    ),
    "access.account_disabled": Stop("You cannot sign in at the moment", "Please call us: we are glad to help."),
    "notifications.local_inbox_closed": Stop("There is no inbox here", "Messages go to people's own telephones and addresses."),
    "kernel.form_not_ours": Stop(
        "We could not be sure that this came from you",
        "For your safety nothing was changed. Please go back, load the page again and try once more.",
    ),
}  # fmt: skip
DEFAULT_STOP = Stop("We cannot do that", "Nothing was changed. Please go back and try again, or call us: we are glad to help.")


IN_ITS_OWN_WORDS = frozenset({"scheduling.booked_elsewhere"})
"""Refusals that say what the hospital itself wrote for people to read: where to book instead."""


def stop_for(code: str, detail: str = "") -> Stop:
    """The page for a refusal's code, with its own words where those are for people."""
    known = STOPS.get(code)
    if known is not None and detail and code in IN_ITS_OWN_WORDS:
        return Stop(known.title, detail)
    if known is None and (notice := NOTICES.get(code)):
        return Stop(notice.title, notice.text)
    return known or DEFAULT_STOP
