"""Where somebody says whether they want e-mails about imports."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from imports.admin.pages import import_url, may_view, render_page
from imports.jobs import notifications


class MailForm(forms.Form):
    """One tick."""

    wanted = forms.BooleanField(
        label="E-mail me about imports",
        required=False,
        widget=forms.CheckboxInput(attrs={"aria-describedby": "id_wanted_helptext"}),
    )


def notifications_view(request: HttpRequest) -> HttpResponse:
    """Show what was chosen, and keep what is sent."""
    if not may_view(request):
        raise PermissionDenied("Only Admins, Creators and Approvers can work with imports.")
    if request.method != "POST":
        form = MailForm(initial={"wanted": notifications.wants_mail(request.user)})
        return render_page(request, "mail", None, form=form, title="E-mails about imports")
    form = MailForm(request.POST)
    if form.is_valid():
        notifications.set_wants_mail(request.user, enabled=form.cleaned_data["wanted"])
        told = "You get e-mails about imports." if form.cleaned_data["wanted"] else "You get no e-mails about imports."
        messages.success(request, told)
    return HttpResponseRedirect(import_url("mail"))
