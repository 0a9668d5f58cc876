"""What can be done to people and their graph. Keyword arguments, one transaction each."""

from accounts.services.blocks import block, unblock
from accounts.services.follows import (
    accept_follow,
    follow,
    reject_follow,
    remove_follower,
    unfollow,
)
from accounts.services.interests import (
    follow_starter_pack,
    follow_topic,
    snooze_topic,
    subscribe,
    unfollow_starter_pack,
    unfollow_topic,
    unsubscribe,
)
from accounts.services.lifecycle import (
    close_account,
    deactivate_account,
    delete_account,
    erase_due,
    hasten_closing,
    reactivate_account,
    sign_out_apps,
    sign_out_browsers,
    suspend_account,
    unsuspend_account,
)
from accounts.services.mutes import (
    add_muted_keyword,
    delete_expired_mutes,
    mute,
    remove_muted_keyword,
    unmute,
)
from accounts.services.people_lists import (
    add_to_list,
    change_list,
    choose_lists,
    create_list,
    delete_list,
    remove_from_list,
)
from accounts.services.preferences import set_preferences
from accounts.services.profile import update_profile

__all__ = [
    "accept_follow",
    "add_muted_keyword",
    "add_to_list",
    "block",
    "change_list",
    "choose_lists",
    "close_account",
    "create_list",
    "deactivate_account",
    "delete_account",
    "delete_expired_mutes",
    "delete_list",
    "erase_due",
    "follow",
    "follow_starter_pack",
    "follow_topic",
    "hasten_closing",
    "mute",
    "reactivate_account",
    "reject_follow",
    "remove_follower",
    "remove_from_list",
    "remove_muted_keyword",
    "set_preferences",
    "sign_out_apps",
    "sign_out_browsers",
    "snooze_topic",
    "subscribe",
    "suspend_account",
    "unblock",
    "unfollow",
    "unfollow_starter_pack",
    "unfollow_topic",
    "unmute",
    "unsubscribe",
    "unsuspend_account",
    "update_profile",
]
