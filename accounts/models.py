"""Who owns experiments, who was invited to, and what anybody did: the ground that every floor stands on."""

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.text import Truncator


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user; without a password the account cannot sign in until one is set."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user who may do everything, the admin pages included."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """An owner of experiments, signed in by e-mail address; staff also run the site."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)
    epoch = models.PositiveIntegerField(default=0)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="an_email_is_stored_in_lower_case", condition=Q(email=Lower("email"))),
        ]

    def __str__(self) -> str:
        return self.email

    def end_sessions(self) -> None:
        """Sign this account out everywhere: a session holds only for the epoch and the password it began under."""
        User.objects.filter(pk=self.pk).update(epoch=models.F("epoch") + 1)
        self.refresh_from_db(fields=["epoch"])

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        known = f"{self.epoch}.{self.password}"
        key = secret or settings.SECRET_KEY
        return salted_hmac("accounts.User.sessions", known, key, algorithm="sha256").hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Phrases about one-time links."""

    def open(self) -> "InvitationQuerySet":
        """Those that still work."""
        return self.filter(used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=timezone.now())


class Invitation(models.Model):
    """A one-time link that makes an account, or sets the password of one; only the hash of its token is kept."""

    email = models.EmailField(blank=True)
    staff = models.BooleanField(default=False)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitations")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    resets = models.BooleanField(default=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_invitation_expires_after_it_was_made", condition=Q(expires_at__gt=models.F("created_at"))
            ),
            models.CheckConstraint(
                name="a_new_password_is_for_a_named_account", condition=Q(resets=False) | ~Q(email="")
            ),
        ]

    def __str__(self) -> str:
        return self.email or "anyone with the link"


LONGEST_SAID = 24


class EventQuerySet(models.QuerySet["Event"]):
    """Events can be added and read, never changed or removed."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise AppendOnlyError("The audit log is append-only: events are never changed.")

    def delete(self) -> NoReturn:
        """Refused."""
        raise AppendOnlyError("The audit log is append-only: events are never removed.")


class AppendOnlyError(Exception):
    """Somebody tried to change or remove what may only be added."""


class Event(models.Model):
    """Something that somebody did; it names its object in text, so that it outlives it.

    Triggers of the database (migration 0002) refuse what goes around this class.
    """

    actor = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    actor_name = models.CharField(max_length=254)
    verb = models.CharField(max_length=40)
    object = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    place = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["object", "at"], name="events_of_an_object"),
            models.Index(fields=["-at", "-id"], name="events_by_time"),
        ]
        ordering = ["at", "pk"]
        constraints = [models.CheckConstraint(name="an_event_has_a_verb", condition=~Q(verb=""))]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.verb} {self.object}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the event; a stored one is never saved again."""
        if not self._state.adding:
            raise AppendOnlyError("The audit log is append-only: events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise AppendOnlyError("The audit log is append-only: events are never removed.")

    @property
    def said(self) -> str:
        """The detail in words: what holds by its name, what does not left out, a long value only begun."""
        told = [(name, str(value)) for name, value in self.detail.items() if value is not False]
        return ", ".join(
            name if value == "True" else f"{name}: {Truncator(value).chars(LONGEST_SAID)}" for name, value in told
        )


class Try(models.Model):
    """One use of something that may be done only so often; whose it was is kept as a hash, and not for long."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "tries"
        indexes = [
            models.Index(fields=["key", "at"], name="tries_of_somebody"),
            models.Index(fields=["at"], name="tries_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.key[:8]} at {self.at}"
