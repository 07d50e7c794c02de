"""The page on which a user turns e-mails about imports on or off."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from imports.admin.pages import import_url, may_view, render_page
from imports.jobs import notifications


class MailForm(forms.Form):
    """One checkbox."""

    enabled = forms.BooleanField(
        label="E-mail me about imports",
        required=False,
        widget=forms.CheckboxInput(attrs={"aria-describedby": "id_enabled_helptext"}),
    )


def notifications_view(request: HttpRequest) -> HttpResponse:
    """Show the user's choice, and store the one that is sent."""
    if not may_view(request):
        raise PermissionDenied("Only Admins, Creators and Approvers can work with imports.")
    if request.method != "POST":
        form = MailForm(initial={"enabled": notifications.wants_mail(request.user)})
        return render_page(request, "mail", None, form=form, title="E-mails about imports")
    form = MailForm(request.POST)
    if form.is_valid():
        enabled = form.cleaned_data["enabled"]
        notifications.set_wants_mail(request.user, enabled=enabled)
        text = "You will get e-mails about imports." if enabled else "You will get no e-mails about imports."
        messages.success(request, text)
    return HttpResponseRedirect(import_url("mail"))
