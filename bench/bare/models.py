"""What the bare application reads, and what it writes."""

from django.db import models


class Text(models.Model):
    """Read: two paragraphs to choose from."""

    left = models.TextField()
    right = models.TextField()

    def __str__(self) -> str:
        return f"text {self.pk}"


class Choice(models.Model):
    """Written: what somebody chose."""

    text = models.ForeignKey(Text, on_delete=models.CASCADE)
    user = models.ForeignKey("auth.User", on_delete=models.CASCADE)
    verdict = models.CharField(max_length=9)
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.verdict} on {self.text_id}"
